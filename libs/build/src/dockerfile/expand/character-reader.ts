/** A text read by whole characters, not UTF-16 units. */
export class CharacterReader {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#characters = [...text];
  }

  /** The next character, without taking it; undefined at the end. */
  peek(): string | undefined {
    return this.#characters[this.#at];
  }

  take(): string | undefined {
    const character = this.#characters[this.#at];
    if (character !== undefined) this.#at++;
    return character;
  }

  /** `<`, or `<<` with the blanks that follow. */
  takeHeredocMark(): string {
    this.take();
    if (this.peek() !== "<") return "<";
    let mark = "<";
    do mark += this.take();
    while (/^[ \t\r\n]$/.test(this.peek() ?? ""));
    return mark;
  }
}
