import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileEntry, LayerEntry } from "@mayfly/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SpooledFiles } from "./spooled.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "mayfly-spooled-"));
});
afterAll(() => rm(dir, { recursive: true }));

const file = (path: string, content: Buffer, piece: number): FileEntry => ({
  type: "file",
  path,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime_s: 0,
  size_bytes: content.byteLength,
  once: true,
  content: async function* () {
    for (let at = 0; at < content.byteLength; at += piece) yield content.subarray(at, at + piece);
  },
});
const folder: LayerEntry = { type: "directory", path: "d", mode: 0o755, uid: 0, gid: 0, mtime_s: 0 };

async function* each(entries: readonly LayerEntry[]): AsyncGenerator<LayerEntry> {
  yield* entries;
}

describe("files that are spooled", () => {
  // Sizes and pieces about the buffer's size.
  const contents = [0, 1, 4096, 262_143, 262_144, 262_145, 900_000, 0, 7].map((size) => randomBytes(size));

  it.each([65_536, 262_144, 1_000_000])("come back as they were, in any order, as often as wanted", async (piece) => {
    const spooled = await SpooledFiles.open(join(dir, "one"));
    const entries = contents.map((content, at) => file(`d/${at}`, content, piece));
    const found = await spooled.add(each([folder, ...entries]));
    expect(found.map(({ listed }) => listed.path)).toEqual(["d", ...entries.map(({ path }) => path)]);
    for (let round = 0; round < 2; round++) {
      for (const [at, content] of [...contents.entries()].reverse()) {
        const parts = await Array.fromAsync(spooled.read(found[at + 1]!.at, content.byteLength));
        expect(Buffer.concat(parts).equals(content), `file ${at}`).toBe(true);
      }
    }
    await spooled.close();
  });

  it("have no name that could be left behind", async () => {
    const spooled = await SpooledFiles.open(join(dir, "two"));
    await spooled.add(each([file("f", Buffer.from("x"), 1)]));
    expect(await readdir(dir)).toEqual([]);
    await spooled.close();
  });

  it("are missed when they end early", async () => {
    const spooled = await SpooledFiles.open(join(dir, "three"));
    await spooled.add(each([file("f", Buffer.from("abc"), 2)]));
    await expect(Array.fromAsync(spooled.read(0, 5))).rejects.toThrow("2 bytes early");
    await spooled.close();
  });
});
