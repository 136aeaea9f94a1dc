import type { BoxMount } from "@mayfly/contract";

const MOST_MOUNTS = 32;
/** MAX_LAYERS of native/request.h, for all mounts together. */
const MOST_LAYERS = 256;

/** @returns what is wrong, or null */
export function wrongMounts(mounts: readonly BoxMount[]): string | null {
  if (mounts.length > MOST_MOUNTS) return `at most ${MOST_MOUNTS}`;
  const paths = mounts.flatMap(pathsOf);
  if (paths.some((path) => !path.startsWith("/"))) return "absolute paths";
  if (paths.some((path) => path.includes("\0"))) return "a path holds a NUL byte";
  const layers = mounts.flatMap((mount) => (mount.kind === "layers" ? mount.rootfs.lower : []));
  return layers.length > MOST_LAYERS ? `at most ${MOST_LAYERS} layers in all of them` : null;
}

function pathsOf(mount: BoxMount): string[] {
  if (mount.kind === "tmpfs") return [mount.target];
  if (mount.kind !== "layers") return [mount.source, mount.target];
  return [mount.source, mount.target, ...mount.rootfs.lower, ...(mount.upper === null ? [] : [mount.upper])];
}

/** As the launcher reads it (native/request.h). */
export function mountPairs(mount: BoxMount): [string, string | number][] {
  const target: [string, string][] = [
    ["mount_target", mount.target],
    ["mount_make", mount.make ? "yes" : "no"],
  ];
  switch (mount.kind) {
    case "bind":
      return [
        ["mount", "bind"],
        ["mount_source", mount.source],
        ...target,
        ["mount_readonly", mount.readonly ? "yes" : "no"],
        ["mount_own_ids", mount.ids === "box" ? "yes" : "no"],
      ];
    case "layers":
      return [
        ["mount", "layers"],
        ["mount_source", mount.source],
        ...target,
        ...mount.rootfs.lower.map((dir): [string, string] => ["mount_lower", dir]),
        ...(mount.upper === null ? [] : [["mount_upper", mount.upper] as [string, string]]),
        ["mount_readonly", mount.readonly ? "yes" : "no"],
      ];
    case "tmpfs":
      return [["mount", "tmpfs"], ...target, ["mount_size", mount.size_bytes], ["mount_mode", mount.mode]];
    case "file":
      return [
        ["mount", "copy"],
        ["mount_source", mount.source],
        ...target,
        ["mount_mode", mount.mode],
        ["mount_uid", mount.uid],
        ["mount_gid", mount.gid],
      ];
  }
}
