import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Mayfly } from "../system/mayfly.ts";

/** Where the image has node, and what the peers run with it, as paths in {@link peersRoot}. */
export const NODE = "/usr/local/bin/node";
export const ONCE = "/mayfly/once.mjs";

/**
 * The image of `hello` and, on top, the peers' program, as one folder: an overlay, mounted once. The peers share it and what they write
 * into it, which spares them the fresh writable layer that each box of ours gets.
 */
export function peersRoot(mayfly: Mayfly, dir: string, after: AsyncDisposableStack): string {
  const folder = (name: string) => join(dir, name);
  for (const name of ["root", "upper", "work", "program/mayfly"]) mkdirSync(folder(name), { recursive: true });
  copyFileSync(join(import.meta.dirname, "..", "programs", "once.mjs"), join(folder("program"), ONCE));
  const layers = [folder("program"), ...mayfly.rootfs.lower];
  const options = `lowerdir=${layers.join(":")},upperdir=${folder("upper")},workdir=${folder("work")}`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", options, folder("root")]);
  after.defer(() => void execFileSync("umount", [folder("root")]));
  return folder("root");
}
