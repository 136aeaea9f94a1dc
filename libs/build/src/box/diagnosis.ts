import { join, relative } from "node:path";
import type { SourceLocation } from "@mayfly/contract";
import type { Message } from "esbuild";
import { Failure } from "./failure.ts";
import type { Folder } from "./folder.ts";
import { manifestIn } from "./manifests.ts";

const MOST_LOCATIONS = 10;
const LONGEST_TEXT = 500;
/** As much of a line as is shown before and behind the place: a line of a minified file can be the whole file. */
const SHOWN = 60;

/** esbuild's messages in words for who wrote the source. Nothing is quoted of a file outside of the project. */
export class Diagnosis {
  readonly #project: string;
  readonly #folder: Folder;

  constructor(project: string, folder: Folder) {
    this.#project = project;
    this.#folder = folder;
  }

  failure(errors: readonly Message[]): Failure {
    const seen = errors.map((error) => this.#withoutForeign(error));
    const locations = seen
      .slice(0, MOST_LOCATIONS)
      .map((error) => this.#locate(error))
      .filter((location) => location !== null);
    const more = seen.length > 1 ? ` (and ${seen.length - 1} more)` : "";
    const hint = hintFor(seen[0]!.text, this.#project);
    return new Failure(this.line(seen[0]!) + more, { locations, ...(hint ? { hint } : {}) });
  }

  /** `file:line:column: text` */
  line(message: Message): string {
    const seen = this.#withoutForeign(message);
    const at = this.#locate(seen);
    return at ? `${at.file}:${at.line}:${at.column}: ${at.message}` : clip(seen.text);
  }

  #locate({ text, location }: Message): SourceLocation | null {
    if (!location) return null;
    // esbuild counts bytes of UTF-8, people count characters.
    const bytes = Buffer.from(location.lineText);
    const column = bytes.subarray(0, location.column).toString().length;
    const length = bytes.subarray(location.column, location.column + location.length).toString().length;
    return {
      file: relative(this.#project, join(this.#project, location.file)),
      line: location.line,
      column: column + 1,
      message: clip(text),
      excerpt: excerpt(location.line, location.lineText, column, length),
    };
  }

  #withoutForeign(message: Message): Message {
    const { location } = message;
    if (!location || (location.namespace !== "file" && location.namespace !== "")) return message;
    const path = join(this.#project, location.file);
    if (this.#folder.reallyContains(path)) return message;
    return { ...message, text: `${JSON.stringify(location.file)} is outside of the project`, location: null };
  }
}

function excerpt(line: number, text: string, column: number, length: number): string {
  const from = Math.max(0, column - SHOWN);
  const shown = text.slice(from, column + SHOWN);
  const number = String(line);
  // Tabs stay, so that the caret stands where the eye sees the place.
  const before = text.slice(from, column).replace(/[^\t]/g, " ");
  const caret = "^".repeat(Math.max(1, Math.min(length, shown.length - (column - from))));
  return `${number} | ${shown}\n${" ".repeat(number.length)} | ${before}${caret}`;
}

function hintFor(text: string, project: string): string | undefined {
  const bare = /^Could not resolve "((?:@[^/"]+\/)?[^./"][^/"]*)/.exec(text)?.[1];
  if (!bare) return undefined;
  const jsx = /\/jsx(-dev)?-runtime"/.test(text)
    ? '; JSX needs it: name another with "jsxImportSource" in tsconfig.json, or a pragma'
    : "";
  const { devDependencies } = manifestIn(project) ?? {};
  if (devDependencies && Object.hasOwn(devDependencies, bare))
    return `${bare} is among the devDependencies of package.json, which are not installed: move it to the dependencies${jsx}`;
  return `add ${bare} to the dependencies of package.json, or vendor ${bare} into node_modules${jsx}`;
}

const clip = (text: string): string => (text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`);
