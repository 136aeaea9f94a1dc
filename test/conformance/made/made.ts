/** What came out of a build. */
export type Made = Image | Refusal;

export interface Image {
  /** Path → what is there, for what the base has not, or has otherwise; `null` for what only the base has. */
  readonly files: ReadonlyMap<string, Found | null>;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Refusal {
  /** The end of what the builder said. */
  readonly refused: string;
}

/** Something in a root file system. */
export interface Found {
  readonly type: "file" | "directory" | "symlink" | "hard_link" | "fifo" | "char_device" | "block_device";
  readonly mode: number;
  readonly owner: string;
  /** Seconds since 1970; null: made while the build ran, or nobody defines it. */
  readonly mtime_s: number | null;
  /** Text or digest of a file, target of a link, numbers of a device. */
  readonly content: string;
  readonly xattrs: string;
}

export const isRefusal = (made: Made): made is Refusal => "refused" in made;

/** `path type mode uid:gid content [@seconds] [xattrs]` */
export function lineOf(path: string, found: Found | null): string {
  if (found === null) return `!${path}`;
  const { type, mode, owner, content, mtime_s, xattrs } = found;
  const parts = [path, type, mode.toString(8), owner, content, mtime_s === null ? "" : `@${mtime_s}`, xattrs];
  return parts.filter((part) => part !== "").join(" ");
}

/** All of it, in the order of names: what golden files hold. */
export function linesOf(made: Made): string[] {
  if (isRefusal(made)) return ["refused"];
  const files = [...made.files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, found]) => lineOf(path, found));
  const config = Object.entries(made.config).sort(([a], [b]) => (a < b ? -1 : 1));
  return [...files, ...config.map(([name, value]) => `config ${name} ${JSON.stringify(value)}`)];
}
