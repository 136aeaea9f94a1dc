import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestBoxes } from "./testing/boxes.ts";
import { buildNative } from "./testing/native.ts";

const dir = mkdtempSync(join(tmpdir(), "mayfly-native-"));
let boxes: TestBoxes;
beforeAll(async () => {
  boxes = await TestBoxes.open({ native: buildNative(dir) });
});
afterAll(async () => {
  await boxes?.close();
  rmSync(dir, { recursive: true });
});

const ASKS = `fetch("http://127.0.0.1:9001/x").then(async (answer) => process.stdout.write(await answer.text()));`;

/** A box that asks at its port 9001 when it starts; the server is there after a while. */
async function asks(afterMs: number, script = ASKS) {
  const box = await boxes.host.start(boxes.node(script, { serve: 9001 }));
  let said = "";
  for (const stream of [box.stdout, box.stderr]) stream.on("data", (chunk) => (said += chunk));
  await sleep(afterMs);
  const server = createServer((request, response) => response.end(`${box.id} ${request.url}`));
  box.serve(server);
  const ending = await box.ended;
  await box.remove();
  return { said, ending, listens: server.listening, id: box.id };
}

describe("a port that we serve in a box", () => {
  it("is there before the box's program, each box has its own, and it is gone with the box", async () => {
    await asks(0);
    const open = readdirSync("/proc/self/fd").length;
    for (const { said, id, ending, listens } of await Promise.all([asks(0), asks(0), asks(500)])) {
      expect([said, ending, listens]).toEqual([`${id} /x`, { kind: "exit", code: 0 }, false]);
    }
    expect((await asks(100, "process.exit(3)")).listens).toBe(false);
    expect(readdirSync("/proc/self/fd").length).toBe(open);
  });
});
