import type { Escape } from "../lines/directives.ts";
import { DockerfileError } from "../source/failure.ts";
import { quote } from "../source/go-text.ts";
import { CharacterReader } from "./character-reader.ts";
import { replaced, withoutPrefix, withoutSuffix } from "./pattern.ts";
import { readName } from "./variable-name.ts";
import { WordList } from "./word-list.ts";

export type Variables = ReadonlyMap<string, string>;

export interface LexerOptions {
  /** Quotes stay in what comes out. */
  readonly rawQuotes?: boolean;
  /** Escape characters stay in what comes out. */
  readonly rawEscapes?: boolean;
  /** Quotes are characters like others: the body of a heredoc. */
  readonly plainQuotes?: boolean;
  /** A variable that is not set stays as it is written. */
  readonly keepUnset?: boolean;
}

export interface Expanded {
  readonly text: string;
  readonly words: readonly string[];
  /** Names of variables that were looked up and found, and not found. */
  readonly found: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
}

/** Quotes, escapes and `$variables` of a word, as BuildKit reads them: close to a POSIX shell, and not the same (shell/lex.go). */
export class Lexer {
  readonly #escape: Escape;
  readonly #options: LexerOptions;

  constructor(token: Escape, options: LexerOptions = {}) {
    this.#escape = token;
    this.#options = options;
  }

  /** @throws DockerfileError, saying which word */
  expand(word: string, variables: Variables): Expanded {
    const run = new Run(word, variables, this.#escape, this.#options);
    try {
      return { ...run.untilEnd(), found: run.found, missing: run.missing };
    } catch (error) {
      if (error instanceof DockerfileError) error.message = `failed to process ${quote(word)}: ${error.message}`;
      throw error;
    }
  }

  words(word: string, variables: Variables): readonly string[] {
    return this.expand(word, variables).words;
  }

  /** No words at all when there is something wrong with any of them. */
  wordsOrNone(word: string, variables: Variables): readonly string[] {
    try {
      return this.words(word, variables);
    } catch {
      return [];
    }
  }
}

const fail = (message: string): never => {
  throw new DockerfileError(message);
};

class Run {
  readonly found = new Set<string>();
  readonly missing = new Set<string>();
  readonly #reader: CharacterReader;
  readonly #variables: Variables;
  readonly #escape: Escape;
  readonly #options: LexerOptions;
  #rawEscapes: boolean;

  constructor(word: string, variables: Variables, token: Escape, options: LexerOptions) {
    this.#reader = new CharacterReader(word);
    this.#variables = variables;
    this.#escape = token;
    this.#options = options;
    this.#rawEscapes = options.rawEscapes ?? false;
  }

  untilEnd(): { text: string; words: readonly string[] } {
    return this.#until(null, this.#rawEscapes);
  }

  /** Reads up to `stop`, which is taken too, or to the end. */
  #until(stop: string | null, rawEscapes: boolean): { text: string; words: readonly string[] } {
    const before = this.#rawEscapes;
    this.#rawEscapes = rawEscapes;
    try {
      let text = "";
      const words = new WordList();
      for (let next = this.#reader.peek(); next !== undefined; next = this.#reader.peek()) {
        if (next === stop) {
          this.#reader.take();
          return { text, words: words.finish() };
        }
        text += this.#one(next, words);
      }
      if (stop !== null) fail(`unexpected end of statement while looking for matching ${stop}`);
      return { text, words: words.finish() };
    } finally {
      this.#rawEscapes = before;
    }
  }

  #one(next: string, words: WordList): string {
    if (next === "$") {
      const value = this.#dollar();
      words.add(value);
      return value;
    }
    const special = this.#special(next);
    if (special !== null) {
      words.addWhole(special);
      return special;
    }
    this.#reader.take();
    if (next !== this.#escape) {
      words.add(next);
      return next;
    }
    const kept = this.#rawEscapes ? next : "";
    // At the very end it escapes nothing.
    const escaped = kept + (this.#reader.take() ?? "");
    if (escaped !== "") words.addWhole(escaped);
    return escaped;
  }

  /** Quotes, and `<<` with the blanks after it: they belong to the word of a heredoc. Null for anything else. */
  #special(next: string): string | null {
    if (next === "<") return this.#reader.takeHeredocMark();
    if (this.#options.plainQuotes) return null;
    if (next === "'") return this.#singleQuoted();
    return next === '"' ? this.#doubleQuoted() : null;
  }

  #singleQuoted(): string {
    const mark = this.#options.rawQuotes ? "'" : "";
    this.#reader.take();
    let text = "";
    for (let next = this.#reader.take(); next !== "'"; next = this.#reader.take()) {
      text += next ?? fail("unexpected end of statement while looking for matching single-quote");
    }
    return mark + text + mark;
  }

  #doubleQuoted(): string {
    const mark = this.#options.rawQuotes ? '"' : "";
    this.#reader.take();
    let text = "";
    for (let next = this.#reader.peek(); next !== '"'; next = this.#reader.peek()) {
      if (next === "$") text += this.#dollar();
      else text += this.#inDoubleQuotes();
    }
    this.#reader.take();
    return mark + text + mark;
  }

  /** An escape counts before a quote, a dollar and itself; elsewhere it is a character like others. */
  #inDoubleQuotes(): string {
    const character =
      this.#reader.take() ?? fail("unexpected end of statement while looking for matching double-quote");
    if (character !== this.#escape) return character;
    const kept = this.#rawEscapes ? character : "";
    const next = this.#reader.peek();
    if (next === undefined) return kept;
    if (next === '"' || next === "$" || next === this.#escape) return kept + this.#reader.take();
    return kept + character;
  }

  #dollar(): string {
    this.#reader.take();
    if (this.#reader.peek() !== "{") {
      const name = readName(this.#reader);
      return name === "" ? "$" : (this.#lookUp(name) ?? (this.#options.keepUnset ? `$${name}` : ""));
    }
    this.#reader.take();
    const first = this.#reader.peek();
    if (first === undefined) return fail("syntax error: missing '}'");
    if (first === "{" || first === "}" || first === ":") return fail("syntax error: bad substitution");
    return this.#modified(readName(this.#reader));
  }

  /** What stands between the name and `}`. */
  #modified(name: string): string {
    const modifier = this.#reader.take();
    switch (modifier) {
      case "}":
        return this.#lookUp(name) ?? (this.#options.keepUnset ? `\${${name}}` : "");
      case ":":
        return this.#conditional(name, `:${this.#reader.take() ?? "\ufffd"}`);
      case "+":
      case "-":
      case "?":
      case "#":
      case "%":
        return this.#conditional(name, modifier);
      case "/":
        return this.#replacement(name);
      default:
        return fail(`unsupported modifier (${modifier ?? "\ufffd"}) in substitution`);
    }
  }

  #conditional(name: string, modifier: string): string {
    const kind = modifier.at(-1)!;
    const trims = kind === "#" || kind === "%";
    const word = this.#operand("}", trims, "syntax error: missing '}'");
    const value = this.#lookUp(name);
    if (value === undefined && this.#options.keepUnset) return `\${${name}${modifier}${word}}`;
    const counts = value !== undefined && !(modifier.startsWith(":") && value === "");
    switch (kind) {
      case "-":
        return counts ? value : word;
      case "+":
        return counts ? word : "";
      case "?":
        if (counts) return value;
        return fail(`${name}: ${word || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`);
      case "#":
      case "%": {
        const longest = word.startsWith(kind);
        const trim = kind === "#" ? withoutPrefix : withoutSuffix;
        return trim(longest ? word.slice(1) : word, value ?? "", longest ? "longest" : "shortest");
      }
      default:
        return fail(`unsupported modifier (${modifier}) in substitution`);
    }
  }

  #replacement(name: string): string {
    const all = this.#reader.peek() === "/";
    if (all) this.#reader.take();
    const pattern = this.#operand("/", true, "syntax error: missing '/' in ${}");
    const replacement = this.#operand("}", true, "syntax error: missing '}'");
    const value = this.#lookUp(name);
    if (value === undefined && this.#options.keepUnset) return `\${${name}/${pattern}/${replacement}}`;
    return replaced(pattern, value ?? "", replacement, all);
  }

  /** Is itself expanded. */
  #operand(stop: string, rawEscapes: boolean, unfinished: string): string {
    try {
      return this.#until(stop, rawEscapes).text;
    } catch (error) {
      if (this.#reader.peek() === undefined) fail(unfinished);
      throw error;
    }
  }

  #lookUp(name: string): string | undefined {
    const value = this.#variables.get(name);
    (value === undefined ? this.missing : this.found).add(name);
    return value;
  }
}
