import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { BoxJob, BoxTask, decodeJson, encodeFrame, FRAME, type Frame } from "@mayfly/contract";
import { type Consumer, connectChannel, consume, FrameChannel } from "@mayfly/queue";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEY, PREFIX, problemOf, startGateway, type TestGateway } from "../testing/gateway.ts";

type Behave = (channel: FrameChannel, task: BoxTask, frames: AsyncIterator<Frame>) => Promise<void>;

/** The gateway with a worker at the other end that keeps no boxes: `behave` answers. */
describe("who is attached to a box", () => {
  let gateway: TestGateway;
  let worker: Consumer;
  let behave: Behave;
  beforeAll(async () => {
    gateway = await startGateway();
    worker = consume({
      ...{ redis: gateway.redis.address, prefix: PREFIX, queue: "box", concurrency: 4, onError: () => {} },
      process: async (job) => {
        const { request, channel: address } = BoxJob.parse(job);
        const { channel } = await connectChannel(address, { kind: "box", request, host: "test" });
        const frames = channel.frames[Symbol.asyncIterator]();
        const { value } = await frames.next();
        await behave(channel, BoxTask.parse(decodeJson(value!)), frames).catch(() => {});
        channel.close();
      },
    });
  });
  afterAll(async () => {
    await worker.close(0);
    await gateway.close();
  });

  /** The connection, or the answer that it did not become one. */
  function ask(path: string, headers: Record<string, string> = {}): Promise<Duplex | Response> {
    const all = { authorization: `Bearer ${KEY}`, connection: "Upgrade", upgrade: "mayfly-frames", ...headers };
    const request = httpRequest({ port: gateway.port, path, method: "POST", headers: all });
    return new Promise((resolve, reject) => {
      request.once("upgrade", (_: IncomingMessage, socket: Duplex, head: Buffer) => {
        socket.unshift(head);
        resolve(socket);
      });
      request.once("response", async (answer) =>
        resolve(
          new Response(Buffer.concat(await Array.fromAsync(answer)), {
            status: answer.statusCode!,
            headers: { "content-type": answer.headers["content-type"] ?? "" },
          }),
        ),
      );
      request.once("error", reject);
      request.end();
    });
  }

  it("needs the key, and a box's path", async () => {
    const refused = (await ask("/v1/boxes/b/attach", { authorization: "Bearer wrong" })) as Response;
    expect(await problemOf(refused)).toMatchObject({ status: 401, code: "unauthorized" });
    expect(await problemOf((await ask("/v1/boxes/b")) as Response)).toMatchObject({ status: 404, code: "not_found" });
  });

  it("is passed on in both directions, up to the end", async () => {
    behave = async (channel, task, frames) => {
      await channel.sendJson(FRAME.DATA, task);
      const { value } = await frames.next();
      await channel.send(FRAME.STDERR, value!.payload);
      await channel.sendJson(FRAME.ACK, { exit_code: 3, ended: "exited with code 3" });
    };
    const socket = (await ask("/v1/boxes/a%20b/attach?start")) as Duplex;
    socket.write(encodeFrame(FRAME.DATA, Buffer.from("typed")));
    const heard = await Array.fromAsync(new FrameChannel(socket).frames);
    expect(heard.map(({ type, payload }) => [type, String(Buffer.from(payload))])).toEqual([
      [FRAME.DATA, JSON.stringify({ verb: "attach", box: "a b", start: true })],
      [FRAME.STDERR, "typed"],
      [FRAME.ACK, JSON.stringify({ exit_code: 3, ended: "exited with code 3" })],
    ]);
  });

  it("hears that the worker was lost; the worker, that they went away", async () => {
    behave = async (channel) => channel.destroy();
    const lost = (await ask("/v1/boxes/b/attach")) as Duplex;
    const [frame] = await Array.fromAsync(new FrameChannel(lost).frames);
    expect(decodeJson(frame!)).toMatchObject({ code: "worker_lost" });
    const gone = Promise.withResolvers<void>();
    behave = async (_, __, frames) => {
      await frames.next();
      gone.resolve();
    };
    ((await ask("/v1/boxes/b/attach")) as Duplex).destroy();
    await gone.promise;
  });

  it("has requests beside it: what cannot be read is refused without a worker", async () => {
    behave = async (channel, task) => channel.sendJson(FRAME.ACK, task);
    const post = (path: string, body: unknown) => gateway.api(path, { method: "POST", body: JSON.stringify(body) });
    const made = await post("/v1/boxes", { image: "a", start: false, memory_bytes: 2 ** 28 });
    expect([made.status, await made.json()]).toEqual([
      201,
      expect.objectContaining({ verb: "create", start: false, wanted: expect.objectContaining({ network: "none" }) }),
    ]);
    expect(await (await post("/v1/boxes/b/stop", { timeout_s: 1 })).json()).toEqual({
      ...{ verb: "stop", box: "b", timeout_s: 1 },
    });
    for (const [path, body, why] of [
      ["/v1/boxes", { image: "a", volumes: [{ source: "relative", target: "/b" }] }, "absolute"],
      ["/v1/boxes", { image: "a", memory_bytes: 1 }, "memory_bytes"],
      ["/v1/boxes", { image: "a", name: "box_x" }, "names do not start with box_"],
      ["/v1/boxes/b/kill", { signal: "; rm" }, "signal"],
    ] as const)
      expect(await problemOf(await post(path, body))).toMatchObject({
        ...{ code: "bad_request", detail: expect.stringContaining(why) },
      });
  });
});
