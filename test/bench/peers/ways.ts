/** A way in which our host makes a box for a function. Each is measured beside the others as a subject of its own. */
export interface Way {
  readonly name: string;
  /** Forked by a nursery, or booted in its box. */
  readonly forked: boolean;
}

export const WAYS: readonly Way[] = [
  { name: "mayfly, booted", forked: false },
  { name: "mayfly, forked", forked: true },
];
