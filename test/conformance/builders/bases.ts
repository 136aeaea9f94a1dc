import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An image that every engine has by this name, from one tar of a root file system. */
export interface Base {
  readonly name: string;
  readonly tar: string;
  /** What else it is called. */
  readonly tags?: readonly string[];
}

/** What Dockerfiles call the base `name` besides: `FROM debian:12-slim` is the one that is here. */
export function tagsOf(name: string, dockerfiles: readonly string[]): string[] {
  const tag = new RegExp(`\\b${name}:[\\w][\\w.-]*`, "g");
  return [...new Set(dockerfiles.flatMap((text) => text.match(tag) ?? []))].filter(
    (found) => found !== `${name}:latest`,
  );
}

/** What every base says of itself. */
export const BASE_ENV = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
export const BASE_CMD = ["/bin/sh"];

/** Debian's busybox-static with its links, and accounts for USER and --chown. */
export function busyboxBase(dir: string): Base {
  const root = join(dir, "busybox");
  for (const folder of ["bin", "dev", "etc", "proc", "root", "run", "sys", "usr/bin", "var"])
    mkdirSync(join(root, folder), { recursive: true, mode: 0o755 });
  mkdirSync(join(root, "tmp"));
  execFileSync("chmod", ["1777", join(root, "tmp")]);
  cpSync("/bin/busybox", join(root, "bin/busybox"));
  const names = execFileSync("/bin/busybox", ["--list"], { encoding: "utf8" }).split("\n");
  for (const name of names) if (name !== "" && name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
  const files = {
    passwd:
      "root:x:0:0:root:/root:/bin/sh\njoe:x:1001:1002:Joe:/home/joe:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    group: "root:x:0:\njoes:x:1002:\nstaff:x:50:joe\njoe:x:1009:\nnogroup:x:65534:\n",
    // Engines mount theirs over these; where they are missing some leave empty ones behind.
    hostname: "",
    hosts: "",
    "resolv.conf": "",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, "etc", name), text);
  return { name: "busybox", tar: packed(root, join(dir, "busybox.tar")) };
}

/** Debian's minbase, made once and kept in `cache`. It takes a mirror, and half a minute. */
export function debianBase(cache: string, say: (line: string) => void): Base {
  const tar = join(cache, "debian-bookworm.tar");
  if (!existsSync(tar)) {
    say("making the base image debian (mmdebstrap, once)");
    mkdirSync(cache, { recursive: true });
    const suite = ["--variant=minbase", "--quiet", "bookworm"];
    execFileSync("mmdebstrap", [...suite, `${tar}.making`, "--format=tar"], { stdio: ["ignore", "ignore", "inherit"] });
    renameSync(`${tar}.making`, tar);
  }
  return { name: "debian", tar };
}

function packed(root: string, tar: string): string {
  execFileSync("tar", [
    "-C",
    root,
    "--numeric-owner",
    "--owner=0",
    "--group=0",
    "--mtime=@1500000000",
    "-cf",
    tar,
    ".",
  ]);
  return tar;
}
