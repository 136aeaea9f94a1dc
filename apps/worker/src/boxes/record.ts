import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { BoxWanted, Digest } from "@mayfly/contract";
import { z } from "zod";

/** What a kept box is, and how it stands: `box.json` in its folder. Everything that it takes to start it again is in it. */
const StoredBox = z.object({
  id: z.string(),
  wanted: BoxWanted,
  image: Digest,
  args: z.array(z.string()),
  env: z.array(z.string()),
  cwd: z.string(),
  account: z.object({ uid: z.int(), gid: z.int(), groups: z.array(z.int()) }),
  stop_signal: z.string(),
  id_base: z.int(),
  created_at: z.string(),
  status: z.enum(["created", "running", "exited"]),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  exit_code: z.int().nullable(),
  ended: z.string().nullable(),
  /** Counters by their names. */
  usage: z.record(z.string(), z.int().nullable()).nullable(),
});
export type StoredBox = z.infer<typeof StoredBox>;

/** In one step, and on disk: whoever is killed meanwhile leaves the one before. */
export function storeRecord(folder: string, record: StoredBox): void {
  const path = join(folder, "box.json");
  const fd = openSync(`${path}.new`, "w", 0o600);
  try {
    writeSync(fd, `${JSON.stringify(record)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
}

/** @throws Error when there is none, or it cannot be read */
export const readRecord = (folder: string): StoredBox =>
  StoredBox.parse(JSON.parse(readFileSync(join(folder, "box.json"), "utf8")));
