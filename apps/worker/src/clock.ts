/** Two clocks: wall time for records, monotonic time for durations (a clock step must not change a bill). */
export interface Clock {
  /** Unix epoch, microseconds. */
  epochUs(): number;
  /** Monotonic, microseconds. */
  monotonicUs(): number;
}

export const systemClock: Clock = {
  epochUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
  monotonicUs: () => Number(process.hrtime.bigint() / 1000n),
};

/** RFC 3339, UTC, microseconds. */
export function timestamp(epochUs: number): string {
  const micros = String(Math.floor(epochUs) % 1_000_000).padStart(6, "0");
  return `${new Date(Math.floor(epochUs / 1000)).toISOString().slice(0, 19)}.${micros}Z`;
}
