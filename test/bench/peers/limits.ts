/** What every peer that can is held to: the limits of our own box. */
export interface Limits {
  readonly memory_bytes: number;
  readonly cpu_millis: number;
  readonly cpu_weight: number;
  readonly pids: number;
}
