/** Numbers the steps of a stage as BuildKit shows them: `[build 2/5] RUN make`. */
export class Titles {
  readonly #stage: string;
  readonly #total: number;
  #shown: number;

  /** `stage`: empty when it is the only one. `shown`: steps that came before, the base image among them. */
  constructor(stage: string, total: number, shown: number) {
    this.#stage = stage;
    this.#total = total;
    this.#shown = shown;
  }

  next(code: string, onBuild: boolean): string {
    this.#shown++;
    const number = String(this.#shown).padStart(String(this.#total).length);
    const stage = this.#stage === "" ? "" : `${this.#stage} `;
    const shown = code.replace(/^\S+/, (word) => word.toUpperCase());
    return `[${stage}${number}/${this.#total}] ${onBuild ? "ONBUILD " : ""}${shown}`;
  }
}
