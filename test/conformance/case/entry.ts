/** Something to be in a context. */
export interface Entry {
  readonly path: string;
  readonly is: Content;
  /** Null: as whoever writes it has it. */
  readonly mode: number | null;
  readonly owner: string | null;
  /** Seconds since 1970. */
  readonly mtime_s: number;
  readonly xattrs: Readonly<Record<string, string>>;
}

export type Content =
  | { readonly type: "file"; readonly bytes: Buffer }
  | { readonly type: "folder" }
  | { readonly type: "fifo" }
  | { readonly type: "symlink" | "hard_link"; readonly target: string }
  | { readonly type: "archive"; readonly packed: Packed; readonly entries: readonly Entry[] };

const PACKED = ["tar", "gz", "bz2", "xz", "zst"] as const;
export type Packed = (typeof PACKED)[number];

/** Long before any run: a time that is of now was made by a build. */
const MTIME_S = 1_600_000_000;

/**
 * `PATH [0MODE] [UID:GID] [@SECONDS] [user.NAME=VALUE…] [escaped] [bare] [tar|gz|bz2|xz|zst]`, and then its lines; `PATH/` is a folder,
 * `PATH|` a fifo, `PATH -> TARGET` a link, `PATH => TARGET` one more name. `escaped`: \r, \t, \xHH stand for bytes. `bare`: no newline ends
 * it. An archive's lines are such headers, with ` = TEXT` for what is in a file. @throws Error
 */
export function readEntry(header: string, lines: readonly string[]): Entry {
  const link = /^(\S+) ([-=])> (\S+)(.*)$/.exec(header);
  const [first = "", ...words] = (link ? `${link[1]}${link[4]}` : header).split(" ").filter((word) => word !== "");
  const rest = new Set(words);
  const take = (pattern: RegExp) => {
    const found = [...rest].filter((word) => pattern.test(word));
    for (const word of found) rest.delete(word);
    return found;
  };
  const [mode] = take(/^0[0-7]+$/);
  const [owner] = take(/^\d+:\d+$/);
  const [time] = take(/^@-?\d+$/);
  const xattrs = take(/^[a-z]+\.[^=]+=/).map((pair) => pair.split(/=(.*)/s, 2) as [string, string]);
  const [packed] = take(new RegExp(`^(?:${PACKED.join("|")})$`)) as Packed[];
  const isEscaped = take(/^escaped$/).length > 0;
  const text = `${lines.join("\n")}${take(/^bare$/).length > 0 || lines.length === 0 ? "" : "\n"}`;
  if (rest.size > 0) throw new Error(`${header}: nobody knows ${[...rest].join(" ")}`);
  const content = (): Content => {
    if (link) return { type: link[2] === "-" ? "symlink" : "hard_link", target: link[3]! };
    if (first.endsWith("/")) return { type: "folder" };
    if (first.endsWith("|")) return { type: "fifo" };
    if (packed) return { type: "archive", packed, entries: lines.map(inArchive) };
    return { type: "file", bytes: isEscaped ? unescaped(text) : Buffer.from(text) };
  };
  return {
    path: unescaped(first.replace(/[|/]$/, "")).toString(),
    is: content(),
    mode: mode === undefined ? null : Number.parseInt(mode, 8),
    owner: owner ?? null,
    mtime_s: time === undefined ? MTIME_S : Number(time.slice(1)),
    xattrs: Object.fromEntries(xattrs),
  };
}

function inArchive(line: string): Entry {
  const [header, ...text] = line.split(" = ");
  return readEntry(`${header!}${text.length > 0 ? " bare" : ""}`, text.length > 0 ? [text.join(" = ")] : []);
}

function unescaped(text: string): Buffer {
  const bytes = text.replace(/\\(?:x([0-9a-f]{2})|([rt\\]))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? { r: "\r", t: "\t", "\\": "\\" }[letter]! : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, text === bytes ? "utf8" : "latin1");
}
