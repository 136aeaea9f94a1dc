import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { told } from "./told.ts";

it("a context that takes long tells how much of it has gone, and comes whole", async () => {
  const lines: string[] = [];
  const slow = async function* () {
    yield Buffer.alloc(3 << 20, "a");
    await sleep(200);
    yield Buffer.from("b");
  };
  const body = await buffer(told(Readable.from(slow()), (line) => lines.push(line), 50));
  expect([body.byteLength, body.at(-1)]).toEqual([(3 << 20) + 1, 0x62]);
  expect(lines).toContain("sending the context: 3 MiB");
  const { length } = lines;
  await sleep(120);
  expect(lines).toHaveLength(length);
});

it("one that breaks off breaks off", async () => {
  const broken = async function* () {
    yield Buffer.from("a");
    throw new Error("the disk");
  };
  await expect(buffer(told(Readable.from(broken()), () => {}))).rejects.toThrow("the disk");
});
