/**
 * Reading and writing the kernel's small files. Synchronous: they never touch a disk, a thread-pool round trip costs ten times the call,
 * and they stand on the way of every request.
 */
import { closeSync, mkdirSync, openSync, readSync, rmdirSync, write, writeSync } from "node:fs";
import { promisify } from "node:util";
import { cgroupError, errnoOf } from "./error.ts";

// One page is the most that the files read here return at once, cgroup.procs of a crowd and io.stat with many disks apart: those go on in rounds.
const page = Buffer.allocUnsafe(4096);
const writeAside = promisify<number, string>(write);

/** @throws the error of node:fs as it is. */
export function readText(path: string): string {
  const fd = openSync(path, "r");
  try {
    let text = "";
    for (;;) {
      const length = readSync(fd, page, 0, page.length, null);
      if (length === 0) return text;
      text += page.toString("latin1", 0, length);
      if (length < page.length && text.endsWith("\n")) return text;
    }
  } finally {
    closeSync(fd);
  }
}

/** The text, or null when the file is not there or its group has gone meanwhile: a counter that cannot be had. */
export function readIfThere(path: string): string | null {
  try {
    return readText(path);
  } catch (error) {
    if (["ENOENT", "ENODEV", "ENOTSUP", "EOPNOTSUPP"].includes(errnoOf(error))) return null;
    throw cgroupError("read", path, error);
  }
}

export function writeText(path: string, value: string): void {
  try {
    // Never O_CREAT: the kernel's files are there or they are not.
    const fd = openSync(path, "r+");
    try {
      writeSync(fd, value);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw cgroupError(`write ${value} to`, path, error);
  }
}

/** The same, with the wait off the event loop: for a file whose writing may wait for the kernel. */
export async function writeTextAside(path: string, value: string): Promise<void> {
  try {
    const fd = openSync(path, "r+");
    try {
      await writeAside(fd, value);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw cgroupError(`write ${value} to`, path, error);
  }
}

/** True when it was made, false when it was there. */
export function makeDir(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw cgroupError("mkdir", path, error);
  }
}

/** True when it is gone now, false when something lives in it. */
export function removeDir(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENODEV") return true;
    if (errno === "EBUSY" || errno === "ENOTEMPTY") return false;
    throw cgroupError("rmdir", path, error);
  }
}
