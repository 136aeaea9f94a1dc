import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BindMount } from "@mayfly/contract";

/** Folders that every image has; `/tmp` is everybody's. */
const FOLDERS = ["bin", "etc", "app", "dev", "proc", "tmp", "lib64", "lib/x86_64-linux-gnu", "usr/local/bin"];

/** Two layers as an image store would have unpacked them: folders and the probe below, a file of the function's above. Topmost first. */
export function makeLayers(dir: string, probe: string): string[] {
  const base = join(dir, "base");
  const app = join(dir, "app");
  for (const name of FOLDERS) mkdirSync(join(base, name), { recursive: true });
  chmodSync(join(base, "tmp"), 0o1777);
  copyFileSync(probe, join(base, "bin", "probe"));
  writeFileSync(join(base, "etc", "passwd"), "root:x:0:0::/:/bin/probe\nfn:x:1000:1000::/tmp:/bin/probe\n");
  writeFileSync(join(base, "usr/local/bin/node"), "");
  copyFileSync("/lib64/ld-linux-x86-64.so.2", join(base, "lib64", "ld-linux-x86-64.so.2"));
  chmodSync(join(base, "lib64", "ld-linux-x86-64.so.2"), 0o755);
  mkdirSync(join(app, "app"), { recursive: true });
  writeFileSync(join(app, "app", "hello.txt"), "from the layer\n");
  return [app, base];
}

/** This very Node and the machine's C library, shown in a box: enough to run JavaScript without an image. */
export const NODE_MOUNTS: readonly BindMount[] = [
  shown(process.execPath, "/usr/local/bin/node"),
  shown("/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu"),
];

/** A host file or folder as it is, to be read. */
export function shown(source: string, target: string): BindMount {
  return { kind: "bind", source, target, make: false, readonly: true, ids: "host" };
}

/** A layer with a link where an ordinary folder belongs. */
export function makeOddLayer(dir: string, shape: { readonly link: string; readonly to: string }): string {
  const layer = mkdtempSync(join(dir, "odd-"));
  symlinkSync(shape.to, join(layer, shape.link));
  return layer;
}
