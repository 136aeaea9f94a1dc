import { lstatSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { Failure } from "./failure.ts";

/** Bounds on what an archive may unpack to, whatever it says of itself. */
const LIMITS = { bytes: 256 * 1024 * 1024, entries: 20_000, path: 1_024, depth: 64 };

/**
 * The folder an archive is unpacked into. We are in a box, so nothing of the host can be reached; the checks are here so that a source
 * that reaches out of its folder is told so instead of being built into something else.
 */
export class Folder {
  readonly root: string;
  #bytes = 0;
  #entries = 0;

  constructor(root: string) {
    mkdirSync(root, { recursive: true });
    this.root = root;
  }

  /** Absolute path for an entry of this name, its parents made. @throws Failure when the name leads out */
  place(name: string): string {
    this.#entries += 1;
    if (this.#entries > LIMITS.entries)
      throw new Failure(`the archive has more than ${LIMITS.entries} entries`, { code: "body_too_large" });
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    if (name.startsWith("/") || parts.includes("..") || name.includes("\0")) {
      throw new Failure(`the archive holds ${JSON.stringify(name)}, which leads out of its folder`);
    }
    if (name.length > LIMITS.path || parts.length > LIMITS.depth)
      throw new Failure(`the archive holds a path that is too long: ${name.slice(0, 80)}…`);
    const path = join(this.root, ...parts);
    this.#parents(path);
    return path;
  }

  /** Counts bytes as they are written. @throws Failure over the limit */
  count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > LIMITS.bytes) {
      throw new Failure(`the archive unpacks to more than ${LIMITS.bytes} bytes`, { code: "body_too_large" });
    }
  }

  link(path: string, target: string): void {
    const name = relative(this.root, path);
    if (target.startsWith("/") || !this.contains(resolve(dirname(path), target))) {
      throw new Failure(`the link ${name} leads out of the project, to ${target}`);
    }
    symlinkSync(target, path);
  }

  contains(path: string): boolean {
    return path === this.root || path.startsWith(this.root + sep);
  }

  /** Whether a path, all links followed, is inside. */
  reallyContains(path: string): boolean {
    try {
      return this.contains(realpathSync(path));
    } catch {
      return false;
    }
  }

  /** The project: the folder itself, or the only folder in it, as archives of repositories have it. */
  project(): string {
    const entries = readdirSync(this.root, { withFileTypes: true }).filter((entry) => entry.name !== "__MACOSX");
    return entries.length === 1 && entries[0]!.isDirectory() ? join(this.root, entries[0]!.name) : this.root;
  }

  /** A parent that an earlier entry made a link is refused: what comes below it would land elsewhere. */
  #parents(path: string): void {
    const parent = dirname(path);
    if (parent === this.root || !this.contains(parent)) return;
    this.#parents(parent);
    const stat = lstatSync(parent, { throwIfNoEntry: false });
    if (stat === undefined) mkdirSync(parent);
    else if (!stat.isDirectory())
      throw new Failure(`the archive holds ${relative(this.root, path)} below something that is no folder`);
  }
}
