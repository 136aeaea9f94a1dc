import { lstatSync, mkdirSync, readdirSync, realpathSync, statSync, symlinkSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { Failure } from "./failure.ts";

const MiB = 1024 * 1024;
/** Bounds on what an archive may unpack to, whatever it says of itself. */
export const UNPACK_LIMITS = { bytes: 256 * MiB, ratio: 200, entries: 20_000, path: 1_024, depth: 64 };
/** Below this nothing is a bomb, however well it was packed. */
const HARMLESS_BYTES = 16 * MiB;

/**
 * The folder an archive is unpacked into. We are in a box, so nothing of the host can be reached; the checks are here so that a source
 * that reaches out of its folder is told so instead of being built into something else.
 */
export class Folder {
  readonly root: string;
  readonly #limits: typeof UNPACK_LIMITS;
  readonly #most: number;
  readonly #links: string[] = [];
  #bytes = 0;
  #entries = 0;

  /** `packed`: size of the archive as it came. */
  constructor(root: string, packed: number, limits = UNPACK_LIMITS) {
    mkdirSync(root, { recursive: true });
    this.#limits = limits;
    this.root = realpathSync.native(root);
    this.#most = Math.min(this.#limits.bytes, Math.max(HARMLESS_BYTES, packed * this.#limits.ratio));
  }

  /** Absolute path for an entry of this name, its parents made. @throws Failure when the name leads out, or is too much */
  place(name: string): string {
    this.#countEntry();
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    if (name.startsWith("/") || parts.includes("..") || name.includes("\0"))
      throw new Failure(`the archive holds ${quoted(name)}, which leads out of its folder`);
    const long = Buffer.byteLength(name) > this.#limits.path || parts.some((part) => Buffer.byteLength(part) > 255);
    if (long || parts.length > this.#limits.depth)
      throw new Failure(`the archive holds a path that is too long: ${quoted(name)}`);
    const path = join(this.root, ...parts);
    this.#parents(path);
    return path;
  }

  /** Counts bytes as they are written. @throws Failure over the limit */
  count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#most) return;
    const why =
      this.#most < this.#limits.bytes
        ? `more than ${this.#limits.ratio} times its size`
        : `more than ${this.#limits.bytes} bytes`;
    throw new Failure(`the archive unpacks to ${why}`, { code: "body_too_large" });
  }

  /** Makes a symbolic link. Whether it really leads where its words say is known when all is unpacked: `checkLinks`. */
  link(path: string, target: string): void {
    if (target === "" || target.includes("\0") || Buffer.byteLength(target) > this.#limits.path)
      throw new Failure(`the link ${this.#name(path)} has a target that cannot be used`);
    if (!this.contains(resolve(dirname(path), target))) throw this.#leadsOut(path, target);
    symlinkSync(target, path);
    this.#links.push(path);
  }

  /** A link through other links can lead out although its words stay inside. @throws Failure naming it */
  checkLinks(): void {
    for (const path of this.#links) {
      // A later entry may have taken its place. One that leads nowhere can be read by nobody.
      if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) continue;
      const real = realpath(path);
      if (real !== null && !this.contains(real)) throw this.#leadsOut(path, real);
    }
  }

  contains(path: string): boolean {
    return path === this.root || path.startsWith(this.root + sep);
  }

  /** Whether a path, all links followed, is there and inside. */
  reallyContains(path: string): boolean {
    const real = realpath(path);
    return real !== null && this.contains(real);
  }

  /** Whether something is at a path that really lies elsewhere. */
  leadsOut(path: string): boolean {
    const real = realpath(path);
    return real !== null && !this.contains(real);
  }

  /**
   * The project: a folder that is named, from the folder itself or from the only folder in it, as archives of repositories have it.
   * @throws Failure when there is no such folder
   */
  project(dir: string | null): string {
    const entries = readdirSync(this.root, { withFileTypes: true }).filter((entry) => !LITTER.test(entry.name));
    const only = entries.length === 1 && entries[0]!.isDirectory() ? join(this.root, entries[0]!.name) : this.root;
    if (dir === null) return only;
    const found = [join(this.root, dir), join(only, dir)].find(
      (path) => this.reallyContains(path) && statSync(path).isDirectory(),
    );
    if (found) return realpathSync.native(found);
    const there = readdirSync(only).sort().slice(0, 12).join(", ");
    throw new Failure(`dir=${dir}: there is no such folder in the source`, { hint: `there is ${there}` });
  }

  #countEntry(): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries)
      throw new Failure(`the archive has more than ${this.#limits.entries} entries`, { code: "body_too_large" });
  }

  /** A parent that an earlier entry made a link is refused: what comes below it would land elsewhere. */
  #parents(path: string): void {
    const parent = dirname(path);
    if (parent === this.root || !this.contains(parent)) return;
    this.#parents(parent);
    const stat = lstatSync(parent, { throwIfNoEntry: false });
    if (stat === undefined) {
      // Counted as well: folders nobody names take memory all the same.
      this.#countEntry();
      mkdirSync(parent);
    } else if (!stat.isDirectory())
      throw new Failure(`the archive holds ${quoted(this.#name(path))} below something that is no folder`);
  }

  #name(path: string): string {
    return relative(this.root, path);
  }

  #leadsOut(path: string, target: string): Failure {
    return new Failure(`the link ${this.#name(path)} leads out of the project, to ${quoted(target)}`);
  }
}

/** What macOS adds beside the folder that was packed. */
const LITTER = /^(__MACOSX|\.DS_Store|\._.*)$/;

export const quoted = (name: string): string => JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);

/** The kernel's answer: Node's own realpathSync takes `link/..` for the folder the link lies in. */
function realpath(path: string): string | null {
  try {
    return realpathSync.native(path);
  } catch {
    return null;
  }
}
