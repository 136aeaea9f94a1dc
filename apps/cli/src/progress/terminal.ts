import { stripVTControlCharacters } from "node:util";
import { paint } from "../output.ts";
import { type Step, type Steps, seconds } from "./steps.ts";

const REDRAWN_MS = 100;
const SHOWN_LINES = 6;

/** Names in records that stand for no step: what is said beside them, and how all of it failed. */
const NO_STEPS: ReadonlySet<string> = new Set(["warning", "build"]);

/** The steps on a terminal: what has ended stays above, what runs is drawn again below, with what it said last. */
export class TerminalView {
  readonly #steps: Steps;
  readonly #stream: NodeJS.WriteStream;
  readonly #timer: NodeJS.Timeout;
  readonly #ended = new Set<Step>();
  /** Between the server's clock and ours, milliseconds. */
  #ahead = 0;
  #drawn = 0;

  constructor(steps: Steps, stream: NodeJS.WriteStream) {
    this.#steps = steps;
    this.#stream = stream;
    this.#timer = setInterval(() => this.#draw(), REDRAWN_MS);
    this.#timer.unref();
  }

  heard(ts: string): void {
    this.#ahead = Date.parse(ts) - Date.now();
  }

  /** A line that stays, above what is drawn. */
  say(line: string): void {
    this.#clear();
    this.#stream.write(`${this.#cut(line)}\n`);
    this.#draw();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#draw();
  }

  #draw(): void {
    this.#clear();
    for (const step of this.#steps.all) {
      if (step.state === "running" || this.#ended.has(step)) continue;
      this.#ended.add(step);
      if (!NO_STEPS.has(step.name)) this.#stream.write(`${this.#cut(endedLine(step))}\n`);
    }
    const now = Date.now() + this.#ahead;
    const running = this.#steps.all.filter(({ state, name }) => state === "running" && !NO_STEPS.has(name));
    const lines = running.flatMap((step) => [
      ` => ${step.title} ${seconds(Math.max(0, now - step.began))}`,
      ...step.tail
        .slice(-SHOWN_LINES)
        .map(({ text }) => paint("dim", this.#cut(` => => ${stripVTControlCharacters(text)}`))),
    ]);
    const shown = lines.slice(-Math.max(1, (this.#stream.rows || 24) - 1)).map((line) => this.#cut(line));
    if (shown.length > 0) this.#stream.write(`${shown.join("\n")}\n`);
    this.#drawn = shown.length;
  }

  #clear(): void {
    if (this.#drawn > 0) this.#stream.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  /** A line that the terminal would break counts as two. */
  #cut(line: string): string {
    const width = this.#stream.columns || 80;
    return stripVTControlCharacters(line).length < width ? line : stripVTControlCharacters(line).slice(0, width - 1);
  }
}

function endedLine({ state, title, elapsed_ms }: Step): string {
  if (state === "cached") return paint("cyan", ` => CACHED ${title}`);
  if (state === "failed") return paint("red", ` => ERROR ${title} ${seconds(elapsed_ms)}`);
  return ` => ${title} ${paint("dim", seconds(elapsed_ms))}`;
}
