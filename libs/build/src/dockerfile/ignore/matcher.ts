import { cleanPath } from "../plan/paths.ts";
import { trimSpace } from "../source/go-text.ts";
import { type IgnorePattern, ignorePattern, illegalExclusion } from "./pattern.ts";

/** What of a folder is left out, by the lines of a `.dockerignore` or by `--exclude`. */
export class Ignore {
  readonly patterns: readonly IgnorePattern[];

  /** Blank patterns count for nothing. @throws DockerfileError */
  constructor(patterns: readonly string[]) {
    this.patterns = patterns
      .map(trimSpace)
      .filter((pattern) => pattern !== "")
      .map(patternOf);
  }

  /** Some pattern takes back what others leave out. */
  get hasExclusions(): boolean {
    return this.patterns.some(({ exclusion }) => exclusion);
  }

  /**
   * Whether a path, relative and with slashes, is left out. The last pattern counts that matches it or a folder that it is in. Of the
   * folder itself nothing is said: it is there for what is in it.
   */
  ignores(path: string): boolean {
    const self = cleanPath(path);
    if (self === ".") return false;
    const steps = self.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"));
    let ignored = false;
    for (const { exclusion, matches } of this.patterns) {
      // What would change nothing need not be asked.
      if (exclusion !== ignored) continue;
      if (steps.some(matches)) ignored = !exclusion;
    }
    return ignored;
  }

  /** A folder that is left out, and nothing in it can come back: it need not be looked into. */
  ignoresAllIn(folder: string): boolean {
    return this.ignores(folder) && !this.hasExclusions;
  }
}

/** A pattern may also be `!` and the rest cleaned together, as `!a/../b`: that is how it is read. */
function patternOf(text: string): IgnorePattern {
  const clean = cleanPath(text);
  if (!clean.startsWith("!")) return ignorePattern(clean, false);
  if (clean === "!") throw illegalExclusion();
  return ignorePattern(clean.slice(1), true);
}
