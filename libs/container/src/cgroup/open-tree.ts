import { readdirSync, readFileSync } from "node:fs";
import { type Backend, pidsOf } from "./backend.ts";
import { chooseCgroups } from "./choose.ts";
import { CgroupError, cgroupError, errnoOf } from "./error.ts";
import { makeDir, readText, removeDir } from "./file.ts";
import { groupHandle, procsFilesOf, removeGroup } from "./group.ts";
import { checkLimits, checkPeriod, DEFAULT_CPU_PERIOD_US } from "./limits.ts";
import { parseHierarchies } from "./mountinfo.ts";
import type { CgroupTree, CgroupTreeOptions } from "./tree.ts";
import { cgroupV1 } from "./v1.ts";
import { cgroupV2 } from "./v2.ts";

const PARENT = "mayfly";
const BOOT = "boot";
const INSTANCE = /^[a-z0-9-]{1,63}$/;
/** No dot: the kernel's own files have one, so a group can never be taken for one (v1's `tasks` and `notify_on_release` apart: EEXIST). */
const ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const BOOT_REMOVE_BOUND_MS = 500;

/**
 * Finds the host's cgroups and makes `mayfly/<instance>/boot` in them. Nothing outside of `mayfly` is written.
 * @throws CgroupError when a controller is missing or may not be used, with the remedy; RangeError for a bad option
 */
export async function openCgroupTree(options: CgroupTreeOptions): Promise<CgroupTree> {
  if (!INSTANCE.test(options.instance)) {
    throw new RangeError(`instance ${JSON.stringify(options.instance)}: it must be 1 to 63 of a-z, 0-9 and '-'`);
  }
  const backend = findBackend(options);
  const instance = `${PARENT}/${options.instance}`;
  makeParents(backend, instance);
  const missing = backend.probe(`${instance}/${BOOT}`);
  return {
    version: backend.version,
    missing,
    boot: procsFilesOf(backend, `${instance}/${BOOT}`),

    create(id, limits) {
      checkId(id);
      checkLimits(limits);
      const group = `${instance}/${id}`;
      const made: string[] = [];
      try {
        for (const root of backend.roots) {
          const dir = `${root}/${group}`;
          if (!makeDir(dir)) throw new CgroupError("mkdir", dir, "EEXIST", "an id is used once: take another one");
          made.push(dir);
        }
        backend.setLimits(group, limits);
      } catch (error) {
        for (const dir of made) removeDir(dir);
        throw error;
      }
      return groupHandle(backend, instance, id);
    },

    open(id) {
      checkId(id);
      return groupHandle(backend, instance, id);
    },

    list() {
      const ids = new Set(backend.roots.flatMap((root) => childGroups(`${root}/${instance}`)));
      ids.delete(BOOT);
      return [...ids].sort();
    },

    async close() {
      const boot = `${instance}/${BOOT}`;
      if (pidsOf(backend.roots, boot).length === 0) await removeGroup(backend, boot, BOOT_REMOVE_BOUND_MS);
      removeParents(backend, instance);
    },
  };
}

function findBackend(options: CgroupTreeOptions): Backend {
  const periodUs = checkPeriod(options.cpuPeriodUs ?? DEFAULT_CPU_PERIOD_US);
  const choice = chooseCgroups(
    parseHierarchies(options.mountinfo ?? readFileSync("/proc/self/mountinfo", "utf8")),
    (place) => readText(`${place}/cgroup.controllers`).trim().split(" "),
  );
  return choice.version === "v1" ? cgroupV1(choice.places, periodUs) : cgroupV2(choice.place, periodUs);
}

/** Another instance that closes may take the empty `mayfly` away between our two steps: then once more. */
function makeParents(backend: Backend, instance: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      for (const group of [PARENT, instance]) {
        for (const root of backend.roots) makeDir(`${root}/${group}`);
        backend.prepareParent(group);
      }
      for (const root of backend.roots) makeDir(`${root}/${instance}/${BOOT}`);
      return;
    } catch (error) {
      const errno = error instanceof CgroupError ? error.errno : errnoOf(error);
      const raced = errno === "ENODEV" || (errno === "ENOENT" && errnoOf((error as Error).cause) === "ENOENT");
      if (raced && attempt < 5) continue;
      removeParents(backend, instance);
      throw error;
    }
  }
}

/** Takes away what is empty. */
function removeParents(backend: Backend, instance: string): void {
  for (const root of backend.roots) {
    if (removeDir(`${root}/${instance}`)) removeDir(`${root}/${PARENT}`);
  }
}

function checkId(id: string): void {
  if (!ID.test(id) || id === BOOT) {
    throw new RangeError(
      `cgroup id ${JSON.stringify(id)}: it must be 1 to 63 of a-z, 0-9, '_' and '-', and not "${BOOT}"`,
    );
  }
}

function childGroups(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw cgroupError("list", dir, error);
  }
}
