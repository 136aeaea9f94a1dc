import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRaw } from "./open.ts";
import { WalSync } from "./wal-sync.ts";

describe("commits that are put on disk behind", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-wal-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("leave the event loop free, and each call waits for a sync that began after it", async () => {
    const path = join(dir, "a.sqlite");
    const raw = openRaw(path, "normal");
    raw.exec("CREATE TABLE thing (id INTEGER)");
    const disk = new WalSync(path);
    const done: number[] = [];
    const wait = (which: number) => disk.written().then(() => done.push(which));
    const first = wait(1);
    // Not begun yet: the same sync will do. Once it runs, it will not.
    const second = wait(2);
    await Promise.resolve();
    await Promise.resolve();
    const third = wait(3);
    expect(done).toEqual([]);
    await Promise.all([first, second]);
    expect(done).toEqual([1, 2]);
    await third;
    expect(done).toEqual([1, 2, 3]);
    raw.close();
    await disk.close();
  });

  it("tell who waits when the disk cannot be reached, and the next one anew", async () => {
    const path = join(dir, "late.sqlite");
    const disk = new WalSync(path);
    await expect(disk.written()).rejects.toThrow("ENOENT");
    const raw = openRaw(path, "normal");
    raw.exec("CREATE TABLE thing (id INTEGER)");
    await disk.written();
    raw.close();
    await disk.close();
  });
});
