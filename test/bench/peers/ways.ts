import type { BoxHostOptions } from "@mayfly/container";

/** A way in which our host makes a box for a function. Each is measured beside the others as a subject of its own. */
export interface Way {
  readonly name: string;
  /** What it adds to the options of the host. */
  readonly host: Partial<BoxHostOptions>;
}

export const WAYS: readonly Way[] = [{ name: "mayfly, exec path", host: {} }];
