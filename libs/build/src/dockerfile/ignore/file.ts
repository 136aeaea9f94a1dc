import { cleanPath } from "../plan/paths.ts";
import { within } from "../source/failure.ts";
import { trimSpace } from "../source/go-text.ts";
import { Ignore } from "./matcher.ts";

/**
 * The patterns of a `.dockerignore`, one a line. `#` makes a comment at the very beginning of a line only; a leading slash means nothing
 * (moby/patternmatcher, ignorefile). @throws DockerfileError with the line
 */
export function readIgnoreFile(source: string): Ignore {
  const patterns: string[] = [];
  for (const [at, raw] of source
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    const pattern = patternOfLine(raw);
    if (pattern === null) continue;
    const start = { line: at + 1, column: 1 };
    within({ start, end: { line: at + 1, column: raw.length + 1 } }, () => new Ignore([pattern]));
    patterns.push(pattern);
  }
  return new Ignore(patterns);
}

function patternOfLine(raw: string): string | null {
  if (raw.startsWith("#")) return null;
  const line = trimSpace(raw);
  if (line === "") return null;
  const invert = line.startsWith("!");
  const written = invert ? trimSpace(line.slice(1)) : line;
  const path = written === "" ? "" : withoutRoot(cleanPath(written));
  return invert ? `!${path}` : path;
}

const withoutRoot = (path: string): string => (path.length > 1 && path.startsWith("/") ? path.slice(1) : path);

/** Where the patterns for a Dockerfile may stand, the first that is there counts. */
export const ignoreFilesFor = (dockerfile: string): readonly string[] => [
  `${dockerfile}.dockerignore`,
  ".dockerignore",
];
