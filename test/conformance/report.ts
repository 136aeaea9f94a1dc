import type { Verdict } from "./verdict.ts";

/** A line for each case, and at the end what is known to differ. */
export class Report {
  readonly #total: number;
  readonly #known = new Map<string, string[]>();
  readonly #began = performance.now();
  #right = 0;
  wrong = 0;

  constructor(total: number) {
    this.#total = total;
  }

  add(verdict: Verdict): void {
    const { name } = verdict.case;
    for (const why of verdict.known) this.#known.set(why, [...(this.#known.get(why) ?? []), name]);
    if (verdict.wrong.length === 0) {
      this.#right += 1;
      process.stdout.write(`✓ ${name}\n`);
      return;
    }
    this.wrong += 1;
    process.stdout.write(`✗ ${name}: ${verdict.case.about}\n${verdict.wrong.map((text) => `    ${text}\n`).join("")}`);
  }

  end(): void {
    if (this.#known.size > 0) process.stdout.write("\nKnown differences:\n");
    for (const [why, names] of [...this.#known].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const [first, ...others] = names;
      process.stdout.write(`  ${why}: ${first}${others.length > 0 ? ` and ${others.length} more` : ""}\n`);
    }
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(0);
    process.stdout.write(`\n${this.#total} cases in ${seconds} s\n${this.#right} passed, ${this.wrong} failed\n`);
  }
}
