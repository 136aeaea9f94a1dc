import { posix } from "node:path";

/** Go's path.Clean: as POSIX normalizes it, without a slash at the end. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** WORKDIR: an absolute path stays as it is written, a relative one goes on from where we are (BuildKit, util/system/path.go). */
export function workdirFrom(current: string, path: string): string {
  if (path.startsWith("/")) return path;
  const parent = posix.join("/", current);
  return path === "" ? parent : cleanPath(posix.join(parent, path));
}

/**
 * Where COPY and ADD write, absolute. A slash or `/.` at its end stays: it says that the destination is a folder. Dots are taken out of
 * the text, whatever links it goes through (BuildKit, solver/llbsolver/file/backend.go).
 */
export function destinationFrom(current: string, path: string): string {
  const written = path === "" || path === "." ? "./" : path;
  const absolute = cleanPath(workdirFrom(current, written));
  return /\/\.?$/.test(written) && absolute !== "/" ? `${absolute}/` : absolute;
}
