import { execFileSync } from "node:child_process";

/**
 * Every name below a folder with all that there is about it: type, mode, owner, time in nanoseconds, links, target, device, size and digest
 * of the content, attributes. Written by other people's programs, so that it judges ours. Lines of bytes as latin-1.
 */
export function listingOf(dir: string): string {
  const printed = execFileSync("sh", ["-ec", LISTING], {
    cwd: dir,
    maxBuffer: 256 * 1024 * 1024,
    env: { PATH: process.env.PATH, LC_ALL: "C" },
    encoding: "latin1",
  });
  return listingFrom(printed);
}

/** The script whose output `listingFrom` puts in order. */
export const LISTING = `
  LC_ALL=C; export LC_ALL
  find . -printf '%P|%y|%m|%U:%G|%T@|' \\( -type d -printf '\\n' -o -type l -printf '%l\\n' -o -printf '%n|%s|%i\\n' \\)
  find . \\( -type b -o -type c \\) -exec stat -c '%n is %t:%T' {} +
  find . -type f -exec sha256sum {} +
  getfattr -R -P -h -d -m '^(user|security|system)[.]' -e hex . || true`;

/** Which names are one file is told by the first of them in the order of names. */
export function listingFrom(printed: string): string {
  const lines = printed.split("\n");
  const first = new Map<string, string>();
  const withInode = /^(.*?)(\|[fbcp]\|.*\|)(\d+)$/s;
  for (const line of [...lines].sort()) {
    const [, path, , inode] = withInode.exec(line) ?? [];
    if (path !== undefined && !first.has(inode!)) first.set(inode!, path);
  }
  return inParagraphs(
    lines.map((line) => line.replace(withInode, (_, path, rest, inode) => `${path}${rest}${first.get(inode)}`)),
  );
}

/** getfattr writes a paragraph for each file, in the folder's own order. */
function inParagraphs(lines: readonly string[]): string {
  return lines
    .join("\n")
    .replace(/\n(?!# file|\s)(?=(?:user|security|system)\.)/g, " ")
    .split("\n")
    .sort()
    .join("\n");
}
