/** Variables by name. */
export type Env = ReadonlyMap<string, string>;

/**
 * Words of an instruction as the Dockerfile language splits and expands them: blanks divide, quotes hold together and are taken away,
 * a backslash takes the next character as it is, `$x`, `${x}`, `${x:-word}` and `${x:+word}` stand for variables except in single quotes.
 * @throws Error for a quote or brace without an end, or another form of a variable
 */
export function wordsOf(text: string, env: Env): string[] {
  return new Scanner(text, env).words();
}

const NAME = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#!?$-])/;

class Scanner {
  readonly #text: string;
  readonly #env: Env;
  #at = 0;

  constructor(text: string, env: Env) {
    this.#text = text;
    this.#env = env;
  }

  words(): string[] {
    const words: string[] = [];
    for (;;) {
      while (/\s/.test(this.#peek())) this.#at += 1;
      if (this.#peek() === "") return words;
      words.push(this.#until((character) => /\s/.test(character)));
    }
  }

  #peek = () => this.#text[this.#at] ?? "";

  #until(isEnd: (character: string) => boolean): string {
    let word = "";
    while (this.#peek() !== "" && !isEnd(this.#peek())) word += this.#piece();
    return word;
  }

  #piece(): string {
    const character = this.#peek();
    if (character === "$") return this.#variable();
    this.#at += 1;
    if (character === "'") return this.#singleQuoted();
    if (character === '"') return this.#doubleQuoted();
    if (character === "\\") return this.#text[this.#at++] ?? "";
    return character;
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end === -1) throw new Error("a single quote has no end");
    const quoted = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return quoted;
  }

  #doubleQuoted(): string {
    let quoted = "";
    for (;;) {
      const character = this.#peek();
      if (character === "") throw new Error("a double quote has no end");
      if (character === "$") {
        quoted += this.#variable();
        continue;
      }
      this.#at += 1;
      if (character === '"') return quoted;
      // Only before these does a backslash say anything; elsewhere it stands for itself.
      if (character === "\\" && /["$\\]/.test(this.#peek())) quoted += this.#text[this.#at++];
      else quoted += character;
    }
  }

  #variable(): string {
    this.#at += 1;
    if (this.#peek() !== "{") {
      const name = NAME.exec(this.#text.slice(this.#at))?.[0];
      if (name === undefined) return "$";
      this.#at += name.length;
      return this.#env.get(name) ?? "";
    }
    this.#at += 1;
    const name = NAME.exec(this.#text.slice(this.#at))?.[0] ?? "";
    this.#at += name.length;
    const value = this.#env.get(name) ?? "";
    const form = /^(?:\}|:-|:\+)/.exec(this.#text.slice(this.#at))?.[0];
    if (name === "" || form === undefined) throw new Error(`\${${name}… is no form of a variable that is known here`);
    this.#at += form.length;
    if (form === "}") return value;
    const word = this.#until((character) => character === "}");
    if (this.#peek() !== "}") throw new Error(`\${${name}… has no end`);
    this.#at += 1;
    if (form === ":-") return value === "" ? word : value;
    return value === "" ? "" : word;
  }
}
