import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CacheLease, MountCaches } from "./mount-caches.ts";

const OWNED = { mode: 0o751, uid: 5, gid: 6 };
const NOBODY_CANCELS = new AbortController().signal;
const MiB = 1024 * 1024;

describe("caches of RUN", () => {
  let dir: string;
  let caches: MountCaches;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-caches-"));
    caches = await MountCaches.open(dir);
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const lease = (sharing: "shared" | "private" | "locked", name = "a", signal = NOBODY_CANCELS) =>
    caches.lease(name, { ...OWNED, sharing }, signal);
  /** What a lease is within a moment; null: it still waits. */
  const soon = (waiting: Promise<CacheLease>) =>
    Promise.race([waiting, new Promise<null>((resolve) => setTimeout(resolve, 50, null))]);

  it("are folders of the owner and mode that are asked for, found again by what they are called", async () => {
    const first = await lease("shared");
    const { mode, uid, gid } = statSync(join(first.dir, "u"));
    expect([mode & 0o7777, uid, gid]).toEqual([0o751, 5, 6]);
    const others = await Promise.all([lease("shared"), lease("shared"), lease("shared", "b")]);
    expect(others.map((other) => other.dir === first.dir)).toEqual([true, true, false]);
    await Promise.all([first, ...others].map((one) => one.release()));
    expect((await lease("locked")).dir).toBe(first.dir);
  });

  it("wait for each other when they are locked, until whoever waits gives up", async () => {
    const first = await lease("shared");
    const second = lease("locked");
    expect(await soon(second)).toBeNull();
    await first.release();
    const had = await second;
    const [third, stop] = [lease("shared"), new AbortController()];
    const fourth = lease("locked", "a", stop.signal);
    expect([await soon(third), await soon(fourth)]).toEqual([null, null]);
    stop.abort(new Error("cancelled"));
    await expect(fourth).rejects.toThrow("cancelled");
    await had.release();
    expect((await third).dir).toBe(first.dir);
  });

  it("are others when they are private and somebody has the first", async () => {
    const [first, second] = [await lease("private"), await lease("private")];
    expect(second.dir).not.toBe(first.dir);
    await second.release();
    expect((await lease("private")).dir).toBe(second.dir);
  });

  it("go when they were not used lately or do not fit, never while somebody has them; what a kill left goes at the start", async () => {
    const [old, young, busy] = [await lease("shared", "old"), await lease("shared", "young"), await lease("shared")];
    for (const one of [old, young, busy]) writeFileSync(join(one.dir, "u", "f"), Buffer.alloc(MiB, 1));
    await old.release();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await young.release();
    const past = new Date(0);
    expect(await caches.prune({ unusedSince: past, mostBytes: 100 * MiB })).toEqual({ count: 0, freed_bytes: 0 });
    expect(await caches.prune({ unusedSince: past, mostBytes: 1.5 * MiB })).toMatchObject({ count: 1 });
    expect(readdirSync(dir)).not.toContain(old.dir.split("/").at(-1));
    const later = new Date(Date.now() + 60_000);
    const pruned = await caches.prune({ unusedSince: later, mostBytes: 0 });
    expect([pruned.count, pruned.freed_bytes > MiB]).toEqual([1, true]);
    expect(readdirSync(dir)).toEqual([busy.dir.split("/").at(-1)]);
    writeFileSync(join(dir, "gone-by-a-kill"), "");
    await MountCaches.open(dir);
    expect(readdirSync(dir)).toEqual([busy.dir.split("/").at(-1)]);
  });
});
