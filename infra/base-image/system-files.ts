import type { DirectoryEntry, LayerEntry } from "@mayfly/image";

/** The user that functions run as, inside of their box. */
const FUNCTION_USER = { name: "fn", id: 1000, home: "/tmp" };

/** Folders that every box counts on, most of them as places to mount on; with their modes. */
const FOLDERS: Readonly<Record<string, number>> = {
  app: 0o755,
  dev: 0o755,
  etc: 0o755,
  home: 0o755,
  mnt: 0o755,
  proc: 0o555,
  root: 0o700,
  run: 0o755,
  sys: 0o555,
  tmp: 0o1777,
  usr: 0o755,
  "usr/bin": 0o755,
  "usr/lib": 0o755,
  "usr/lib64": 0o755,
  "usr/local": 0o755,
  "usr/local/bin": 0o755,
  "usr/sbin": 0o755,
  var: 0o755,
  "var/tmp": 0o1777,
};

const LINKS: Readonly<Record<string, string>> = {
  bin: "usr/bin",
  lib: "usr/lib",
  lib64: "usr/lib64",
  sbin: "usr/sbin",
  "var/run": "/run",
  "etc/localtime": "/usr/share/zoneinfo/Etc/UTC",
};

/** What maintainer scripts would have written. Empty ones are there to be mounted on. */
const FILES: Readonly<Record<string, string>> = {
  "etc/group": `root:x:0:\n${FUNCTION_USER.name}:x:${FUNCTION_USER.id}:\nnogroup:x:65534:\n`,
  "etc/hostname": "",
  "etc/hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n",
  "etc/nsswitch.conf": `${["passwd", "group", "shadow"].map((name) => `${name}: files\n`).join("")}hosts: files dns\n${[
    "networks",
    "protocols",
    "services",
    "ethers",
    "rpc",
  ]
    .map((name) => `${name}: files\n`)
    .join("")}`,
  "etc/passwd": [
    "root:x:0:0:root:/root:/usr/sbin/nologin",
    `${FUNCTION_USER.name}:x:${FUNCTION_USER.id}:${FUNCTION_USER.id}:${FUNCTION_USER.name}:${FUNCTION_USER.home}:/usr/sbin/nologin`,
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
    "",
  ].join("\n"),
  "etc/resolv.conf": "",
  "etc/timezone": "Etc/UTC\n",
};

const rootOwned = (path: string, mode: number, mtime_s: number) => ({ path, mode, uid: 0, gid: 0, mtime_s });

export const skeletonFolders = (mtime_s: number): ReadonlyMap<string, DirectoryEntry> =>
  new Map(
    Object.entries(FOLDERS).map(([path, mode]) => [path, { type: "directory", ...rootOwned(path, mode, mtime_s) }]),
  );

export function* systemFiles(mtime_s: number): Generator<LayerEntry> {
  for (const [path, target] of Object.entries(LINKS)) {
    yield { type: "symlink", ...rootOwned(path, 0o777, mtime_s), target };
  }
  for (const [path, body] of Object.entries(FILES)) {
    const content = Buffer.from(body);
    yield { type: "file", ...rootOwned(path, 0o644, mtime_s), size_bytes: content.byteLength, content };
  }
}
