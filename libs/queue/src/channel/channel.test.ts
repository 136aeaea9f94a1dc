import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FRAME, type Hello, newInvocationId } from "@mayfly/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectChannel } from "./connect.ts";
import type { FrameChannel } from "./frame-channel.ts";
import { type ChannelListener, listenChannel } from "./listen.ts";

const HELLO: Hello = { kind: "invocation", invocation: newInvocationId(1), attempt: 1, host: "h" };

describe("a data channel", () => {
  let dir: string;
  let path: string;
  let listener: ChannelListener;
  let accepted: { hello: Hello; channel: FrameChannel }[];
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-queue-"));
    path = join(dir, "c.sock");
    accepted = [];
    listener = await listenChannel({
      path,
      onConnection: (hello, channel) => {
        accepted.push({ hello, channel });
        void channel.sendJson(FRAME.GO, { go: true });
      },
    });
  });
  afterEach(() => {
    listener.close();
    for (const { channel } of accepted) channel.destroy();
    rmSync(dir, { recursive: true, force: true });
  });

  it("carries frames both ways after hello and go", async () => {
    const { channel, go } = await connectChannel(path, HELLO);
    expect(go).toEqual({ go: true });
    expect(accepted[0]!.hello).toEqual(HELLO);
    await channel.send(FRAME.DATA, Buffer.from("up"));
    await accepted[0]!.channel.send(FRAME.DATA, Buffer.from("down"));
    for await (const frame of accepted[0]!.channel.frames) {
      expect(Buffer.from(frame.payload).toString()).toBe("up");
      break;
    }
    for await (const frame of channel.frames) {
      expect(Buffer.from(frame.payload).toString()).toBe("down");
      break;
    }
    channel.close();
  });

  it("stops the sender when the reader does not read", async () => {
    const { channel } = await connectChannel(path, HELLO);
    let sent = 0;
    const chunk = Buffer.alloc(256 * 1024);
    void (async () => {
      for (; sent < 1000; sent += 1) await channel.send(FRAME.DATA, chunk);
    })().catch(() => {});
    await sleep(200);
    const before = sent;
    await sleep(200);
    expect(sent).toBe(before);
    expect(sent).toBeLessThan(20);
    let got = 0;
    for await (const frame of accepted[0]!.channel.frames) {
      got += frame.payload.byteLength;
      if (got >= 1000 * chunk.byteLength) break;
    }
    expect(sent).toBe(1000);
    channel.destroy();
  });

  it("lets what was sent arrive when the sender closes", async () => {
    const { channel } = await connectChannel(path, HELLO);
    await channel.send(FRAME.DATA, Buffer.alloc(50_000, 7));
    await channel.send(FRAME.END);
    channel.close();
    const types: number[] = [];
    for await (const frame of accepted[0]!.channel.frames) types.push(frame.type);
    expect(types).toEqual([FRAME.DATA, FRAME.END]);
  });

  it("ends for the other side when one side is destroyed", async () => {
    const { channel } = await connectChannel(path, HELLO);
    channel.destroy();
    await accepted[0]!.channel.closed;
    for await (const _ of accepted[0]!.channel.frames) throw new Error("nothing was sent");
    await expect(
      (async () => {
        for (let i = 0; i < 100; i += 1) await accepted[0]!.channel.send(FRAME.DATA, Buffer.alloc(100_000));
      })(),
    ).rejects.toThrow("closed");
  });

  it("that talks nonsense is cut and nothing else is", async () => {
    const socket = connect(path);
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await new Promise((resolve) => socket.once("close", resolve).resume());
    expect(accepted).toEqual([]);
    const { go } = await connectChannel(path, HELLO);
    expect(go.go).toBe(true);
  });

  it("to nobody is an error that names the address", async () => {
    await expect(connectChannel(join(dir, "none.sock"), HELLO)).rejects.toThrow(/none\.sock/);
  });
});
