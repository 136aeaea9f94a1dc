import { DockerfileError } from "../source/failure.ts";
import { quote } from "../source/go-text.ts";
import type { Range } from "../source/position.ts";
import { RULES, type Rule, type RuleName } from "./rules.ts";

export interface Warning {
  readonly rule: RuleName;
  readonly description: string;
  readonly message: string;
  readonly range: Range;
}

/** The directive `# check=skip=A,B;error=true;experimental=C`. */
interface CheckOptions {
  readonly skip: ReadonlySet<string>;
  readonly experimental: ReadonlySet<string>;
  readonly error: boolean;
}

/** Collects what deserves a second look, as far as the Dockerfile wants to hear of it. */
export class Warnings {
  readonly list: Warning[] = [];
  readonly #options: CheckOptions;

  /** `check`: the directive's value; empty without one. @throws DockerfileError for an option that is none */
  constructor(check = "") {
    this.#options = readCheck(check);
  }

  add(rule: RuleName, range: Range, ...found: readonly string[]): void {
    const { description, say, experimental = false }: Rule = RULES[rule];
    if (!this.#wants(rule, experimental)) return;
    this.list.push({ rule, description, message: say(...found), range });
  }

  /** `check=error=true` makes a failure of warnings. @throws DockerfileError */
  refuse(): void {
    const [first] = this.list;
    if (!first || !this.#options.error) return;
    const rules = [...new Set(this.list.map(({ rule }) => rule))];
    throw new DockerfileError(`lint violation found for rules: ${rules.join(", ")}`, first.range);
  }

  #wants(rule: RuleName, experimental: boolean): boolean {
    const { skip, experimental: wanted } = this.#options;
    if (experimental) return wanted.has("all") || wanted.has(rule);
    return !skip.has("all") && !skip.has(rule);
  }
}

function readCheck(text: string): CheckOptions {
  let skip: string[] = [];
  let experimental: string[] = [];
  let error = false;
  for (const part of text.split(";")) {
    if (part.trim() === "") continue;
    const at = part.indexOf("=");
    const name = (at === -1 ? part : part.slice(0, at)).trim();
    const value = at === -1 ? "" : part.slice(at + 1).trim();
    const names = value.split(",").map((rule) => rule.trim());
    if (name === "skip") skip = names;
    else if (name === "experimental") experimental = names;
    else if (name === "error" && /^(?:1|t|true|0|f|false)$/i.test(value)) error = /^[1t]/i.test(value);
    else throw new DockerfileError(`failed to parse check options: invalid check option ${quote(part)}`);
  }
  return { skip: new Set(skip), experimental: new Set(experimental), error };
}
