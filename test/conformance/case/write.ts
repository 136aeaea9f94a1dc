import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, linkSync, lutimesSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import type { Content, Entry, Packed } from "./entry.ts";

/** Writes entries into a folder. Folders that nobody names are 0755 and as old as everything else. */
export function writeEntries(dir: string, entries: readonly Entry[]): void {
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  const folders = new Map<string, number>();
  for (const entry of entries) {
    const { path, mtime_s } = entry;
    for (let parent = dirname(path); parent !== "."; parent = dirname(parent))
      folders.set(parent, folders.get(parent) ?? mtime_s);
    mkdirSync(join(dir, dirname(path)), { recursive: true, mode: 0o755 });
    writeEntry(dir, entry);
    if (entry.is.type === "folder") folders.set(path, mtime_s);
    else setTime(join(dir, path), mtime_s);
  }
  // What was put into a folder has made it younger.
  for (const [path, mtime_s] of folders) setTime(join(dir, path), mtime_s);
}

/** As a Date: of a negative number Node makes the time it is. */
function setTime(path: string, mtime_s: number): void {
  const time = new Date(mtime_s * 1000);
  lutimesSync(path, time, time);
}

function writeEntry(dir: string, { path, is, mode, owner, xattrs }: Entry): void {
  const to = join(dir, path);
  writeContent(to, is, dir);
  if (is.type === "hard_link") return;
  // Owner first: changing it takes setuid and the capability away.
  if (owner !== null) execFileSync("chown", ["-h", owner, to]);
  else if (is.type !== "symlink") chownSync(to, 0, 0);
  if (is.type !== "symlink") chmodSync(to, mode ?? (is.type === "folder" ? 0o755 : 0o644));
  for (const [name, value] of Object.entries(xattrs)) execFileSync("setfattr", ["-h", "-n", name, "-v", value, to]);
}

function writeContent(to: string, is: Content, dir: string): void {
  if (is.type === "folder") mkdirSync(to, { recursive: true, mode: 0o755 });
  else if (is.type === "fifo") execFileSync("mkfifo", [to]);
  else if (is.type === "symlink") symlinkSync(is.target, to);
  else if (is.type === "hard_link") linkSync(join(dir, is.target), to);
  else if (is.type === "archive") writeArchive(to, is.packed, is.entries);
  else if (is.type === "file") writeFileSync(to, is.bytes);
}

/** Neither when it is made nor by which process is in it. */
const SAME_BYTES = ["--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"];

/** By GNU tar, in the order of the entries. */
function writeArchive(to: string, packed: Packed, entries: readonly Entry[]): void {
  const from = `${to}.entries`;
  writeEntries(from, entries);
  const names = entries.map(({ path }) => path).join("\0");
  const options = [
    "--numeric-owner",
    "--no-recursion",
    "--xattrs",
    "--xattrs-include=*",
    "--format=posix",
    ...SAME_BYTES,
  ];
  const tar = execFileSync("tar", ["-C", from, ...options, "--null", "-T", "-", "-c"], { input: names });
  rmSync(from, { recursive: true });
  writeFileSync(to, pack(tar, packed));
}

function pack(tar: Buffer, packed: Packed): Buffer {
  if (packed === "tar") return tar;
  if (packed === "zst") return zstdCompressSync(tar);
  const program = { gz: "gzip", bz2: "bzip2", xz: "xz" }[packed];
  return execFileSync(program, ["-c"], { input: tar });
}
