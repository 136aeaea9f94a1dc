import type { BoxHead } from "@mayfly/contract";

export interface Context {
  /** Keeps the box until the promise settles, or the deadline. */
  waitUntil(promise: Promise<unknown>): void;
  /** Id of this call. */
  readonly invocation: string;
  /** Unix epoch in milliseconds. */
  readonly deadline: number;
}
export type Env = Readonly<Record<string, string>>;

/** The one request of a box, as its handler needs it. */
export interface Call {
  readonly head: BoxHead;
  readonly request: Request;
  readonly env: Env;
  readonly context: Context;
}
