import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { RunRequest } from "@mayfly/build";
import { type BoxMount, RUN_LIMITS } from "@mayfly/contract";
import type { CacheLease, MountCaches } from "./mount-caches.ts";

type RunMount = RunRequest["mounts"][number];

export interface ReadyMounts {
  readonly mounts: readonly BoxMount[];
  /** Folders of caches that are written to. */
  readonly caches: readonly string[];
  /** The box has what it needs of the files that were copied into it. */
  entered(): Promise<void>;
  release(): Promise<void>;
}

/** O_TMPFILE of Linux without O_DIRECTORY, which differs from machine to machine. */
const NAMELESS = 0o20000000 | constants.O_DIRECTORY;
/** A file system in memory: a secret never reaches a disk. */
const MEMORY = "/dev/shm";

/**
 * Makes a RUN's mounts ready for a box. @param dir a folder of this RUN alone; what is written to a bound folder goes there
 * @throws the signal's reason when it fires while a cache is waited for
 */
export async function readyMounts(
  wanted: readonly RunMount[],
  dir: string,
  caches: MountCaches,
  signal: AbortSignal,
): Promise<ReadyMounts> {
  const leases = new Map<string, CacheLease>();
  const secrets: FileHandle[] = [];
  const entered = async () => {
    for (const file of secrets.splice(0)) await file.close();
  };
  const release = async () => {
    await entered();
    for (const lease of leases.values()) await lease.release();
    leases.clear();
  };
  const ready = async (mount: RunMount, at: number): Promise<BoxMount> => {
    const { target } = mount;
    switch (mount.type) {
      case "tmpfs":
        return {
          kind: "tmpfs",
          target,
          make: true,
          size_bytes: mount.size_bytes || RUN_LIMITS.tmp_bytes,
          mode: 0o1777,
        };
      case "secret": {
        const file = await namelessFile(mount.content);
        secrets.push(file);
        const { mode, uid, gid } = mount;
        return { kind: "file", source: `/proc/${process.pid}/fd/${file.fd}`, target, make: true, mode, uid, gid };
      }
      case "bind": {
        const upper = mount.read_only ? null : join(dir, `mount-${at}`);
        if (upper) for (const part of ["u", "w"]) await mkdir(join(upper, part), { recursive: true });
        const { lower, source, read_only: readonly } = mount;
        return { kind: "layers", rootfs: { lower }, source, target, make: true, upper, readonly };
      }
      case "cache": {
        const { id, base, lower, source, uid, gid, read_only: readonly } = mount;
        // Two boxes cannot write over the same layers into one folder.
        const sharing = base !== null && mount.sharing === "shared" ? "locked" : mount.sharing;
        const name = JSON.stringify([id, base]);
        const owned = { sharing, mode: mount.mode ?? 0o755, uid, gid };
        // One that is mounted twice is one all the same, and waits for nobody.
        const lease = leases.get(name) ?? (await caches.lease(name, owned, signal));
        leases.set(name, lease);
        if (base === null)
          return { kind: "bind", source: join(lease.dir, "u"), target, make: true, ids: "box", readonly };
        return { kind: "layers", rootfs: { lower }, source, target, make: true, upper: lease.dir, readonly };
      }
    }
  };
  try {
    const mounts: BoxMount[] = [];
    for (const [at, mount] of inLockOrder(wanted)) mounts[at] = await ready(mount, at);
    return { mounts, caches: [...leases.values()].map(({ dir: cache }) => cache), entered, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Everybody waits for caches in the same order, so that no two wait for each other. */
function inLockOrder(mounts: readonly RunMount[]): [number, RunMount][] {
  const name = (mount: RunMount) => (mount.type === "cache" ? mount.id : "");
  return [...mounts.entries()].sort(([, a], [, b]) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
}

/** A file that nobody finds by a name, and that is gone with us. */
async function namelessFile(content: Uint8Array): Promise<FileHandle> {
  const file = await open(MEMORY, NAMELESS | constants.O_RDWR, 0o600);
  try {
    await file.writeFile(content);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
