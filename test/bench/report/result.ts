/** What a bench found, as data: the terminal, docs/performance.md and the plot are drawn from it. */
export interface Findings {
  readonly tables: readonly Table[];
  readonly ratios: readonly Ratio[];
  readonly charts: readonly Chart[];
  /** What must be known to read the figures. */
  readonly notes: readonly string[];
}

export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A figure that is aimed at. */
export interface Ratio {
  readonly measure: string;
  readonly value: number;
  /** Empty for a ratio. */
  readonly unit: string;
  readonly wanted: { readonly atLeast: number } | { readonly atMost: number };
}

export const isReached = ({ value, wanted }: Ratio): boolean =>
  "atLeast" in wanted ? value >= wanted.atLeast : value <= wanted.atMost;

/** Bars on one scale, from 0. */
export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly ours: boolean;
}

/** The findings of one bench and how they came about. */
export interface Result extends Findings {
  readonly bench: string;
  readonly about: string;
  readonly command: string;
  /** When it began, UTC. */
  readonly at: string;
  readonly commit: string;
  /** Load average of the last minute before it began: others on the machine. */
  readonly load: number;
  readonly machine: Machine;
}

/** What the figures depend on: name → fact. */
export type Machine = Readonly<Record<string, string>>;
