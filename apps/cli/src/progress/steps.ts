import type { BuildRecord } from "@mayfly/contract";

/** A step of a build as its records tell it. */
export interface Step {
  /** `#3` of a Dockerfile, or a word: `install`. */
  readonly name: string;
  title: string;
  state: "running" | "done" | "cached" | "failed";
  /** By the server's clock, milliseconds. */
  readonly began: number;
  elapsed_ms: number;
  /** What it said last. */
  readonly tail: { readonly after_ms: number; readonly text: string }[];
}

const KEPT_LINES = 40;
const CACHED = "CACHED";
const ERROR = /^ERROR /;

/** The steps so far, in the order of their starts. */
export class Steps {
  readonly all: Step[] = [];

  /** @returns the step that a record is about */
  take(record: BuildRecord): Step {
    const step = this.#step(record);
    const now = Date.parse(record.ts);
    if (record.status === "done") {
      step.state = record.msg === CACHED ? "cached" : "done";
      step.elapsed_ms = record.elapsed_ms ?? Math.max(0, now - step.began);
    } else if (record.status === "error" || (record.status === "log" && isEnd(record))) {
      step.state = "failed";
      step.elapsed_ms = Math.max(0, now - step.began);
    } else if (record.status === "log") {
      step.tail.push({ after_ms: Math.max(0, now - step.began), text: record.msg ?? "" });
      if (step.tail.length > KEPT_LINES) step.tail.shift();
    }
    return step;
  }

  get failed(): Step | undefined {
    return this.all.findLast(({ state, tail }) => state === "failed" && tail.length > 0);
  }

  #step({ step: name, status, msg, ts }: BuildRecord): Step {
    const known = this.all.findLast((step) => step.name === name);
    // A step of a word may come again: two boxes bundle when dependencies were installed in between.
    if (known && !(status === "start" && known.state !== "running")) return known;
    const title = name.startsWith("#")
      ? (msg ?? name)
      : [name, status === "start" ? msg : undefined].filter(Boolean).join(" ");
    const step: Step = { name, title, state: "running", began: Date.parse(ts), elapsed_ms: 0, tail: [] };
    this.all.push(step);
    return step;
  }
}

/** How a step of a Dockerfile says that it failed. */
export const isEnd = ({ step, msg = "" }: BuildRecord): boolean => step.startsWith("#") && ERROR.test(msg);

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)}s`;
