import { execFileSync } from "node:child_process";

/** Runs a shell script in the root that overlayfs makes of layers (topmost first) and `dir`/{upper,work}; prints what it prints. */
export function inOverlay(lower: readonly string[], dir: string, script: string): string {
  const options = `lowerdir=${lower.join(":")},upperdir=${dir}/upper,workdir=${dir}/work,redirect_dir=nofollow,metacopy=off,index=off`;
  const all = `mount -t overlay overlay -o "$1" "$2"; cd "$2"; ${script}`;
  return execFileSync("unshare", ["-m", "sh", "-ec", all, "sh", options, `${dir}/root`], {
    encoding: "latin1",
    maxBuffer: 256 * 1024 * 1024,
    env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8", TZ: "UTC" },
  });
}
