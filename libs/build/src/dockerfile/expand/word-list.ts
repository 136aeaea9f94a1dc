import { isSpace } from "../source/go-text.ts";

/** Splits what comes out of expansion into words: blanks from unquoted text and from variables separate, quoted ones do not. */
export class WordList {
  readonly #words: string[] = [];
  #word = "";
  #inWord = false;

  /** Text in which blanks separate. */
  add(text: string): void {
    for (const character of text) {
      if (!isSpace(character)) this.addWhole(character);
      else if (this.#inWord) this.#end();
    }
  }

  /** Text that is part of a word as it is. */
  addWhole(text: string): void {
    this.#word += text;
    this.#inWord = true;
  }

  finish(): string[] {
    this.#end();
    return this.#words;
  }

  #end(): void {
    if (this.#word === "") return;
    this.#words.push(this.#word);
    this.#word = "";
    this.#inWord = false;
  }
}
