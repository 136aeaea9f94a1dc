import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { tellLines } from "./log-lines.ts";

/** What is told of these pieces, one after the other. */
async function told(pieces: readonly (string | Buffer)[]): Promise<string[]> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const told: string[] = [];
  const all = tellLines({ stdout, stderr } as unknown as Parameters<typeof tellLines>[0], (_, text) => told.push(text));
  for (const piece of pieces) {
    stdout.write(piece);
    await new Promise(setImmediate);
  }
  stdout.destroy();
  stderr.destroy();
  await all;
  return told;
}

it("lines are told whole, in whatever pieces they come", async () => {
  expect(await told(["touch: ", "cannot touch 'x'", ": Read-only\nnext", "\n\nlast"])).toEqual([
    "touch: cannot touch 'x': Read-only\n",
    "next\n\n",
    "last",
  ]);
});

it("a character is not cut in two", async () => {
  const [first, ...others] = Buffer.from("é\n");
  expect(await told([Buffer.from([first!]), Buffer.from(others)])).toEqual(["é\n"]);
});

it("a line without an end is told before it fills the memory", async () => {
  const texts = await told(Array.from({ length: 10 }, () => "x".repeat(10_000)));
  expect(texts.length).toBeGreaterThan(4);
  expect(texts.join("").length).toBe(100_000);
});

it("of a stream that has closed there is nothing to tell, and nothing to wait for", async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  for (const stream of [stdout, stderr]) stream.destroy();
  await new Promise(setImmediate);
  await tellLines({ stdout, stderr } as unknown as Parameters<typeof tellLines>[0], () => expect.unreachable());
});
