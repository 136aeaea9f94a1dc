import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { RunAs } from "../home.ts";

export const SYSTEM_USER = "mayfly";

/** The unprivileged system user that gateway and Redis run as. Made once; it has no shell, no home and no password. */
export function ensureSystemUser(say: (line: string) => void): RunAs {
  const known = lookUp();
  if (known) return known;
  say(`making the system user ${SYSTEM_USER}`);
  const out = spawnSync(
    "useradd",
    [
      "--system",
      "--user-group",
      "--no-create-home",
      "--home-dir",
      "/nonexistent",
      "--shell",
      "/usr/sbin/nologin",
      SYSTEM_USER,
    ],
    { encoding: "utf8" },
  );
  const made = lookUp();
  if (!made) throw new Error(`useradd ${SYSTEM_USER} failed: ${out.error?.message ?? out.stderr.trim()}`);
  return made;
}

function lookUp(): RunAs | null {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${SYSTEM_USER}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : null;
}
