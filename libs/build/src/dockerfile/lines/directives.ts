import { DockerfileError } from "../source/failure.ts";
import type { Range } from "../source/position.ts";

const NAMES = ["syntax", "escape", "check"] as const;
export type DirectiveName = (typeof NAMES)[number];
export type Escape = "\\" | "`";

export interface Directive {
  readonly name: DirectiveName;
  readonly value: string;
  readonly range: Range;
}

/**
 * The comments `# name=value` at the very top. The first line that is none ends them: an instruction, a blank line, another comment,
 * a name that is not known.
 */
export class Directives {
  readonly found: Directive[] = [];
  escape: Escape = "\\";
  #over = false;

  /** @returns whether the line, without leading blanks, is a directive. @throws DockerfileError for one given twice or a bad escape */
  read(line: string, range: Range): boolean {
    if (this.#over) return false;
    const match = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line);
    const name = NAMES.find((known) => known === match?.[1]?.toLowerCase());
    if (!match || name === undefined) {
      this.#over = true;
      return false;
    }
    if (this.found.some((earlier) => earlier.name === name)) {
      throw new DockerfileError(`only one ${name} parser directive can be used`, range);
    }
    const value = match[2]!;
    if (name === "escape") {
      if (value !== "\\" && value !== "`") {
        throw new DockerfileError(`invalid escape token '${value}' does not match \` or \\`, range);
      }
      this.escape = value;
    }
    this.found.push({ name, value, range });
    return true;
  }
}
