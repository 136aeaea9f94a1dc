import type { CgroupLimits } from "./tree.ts";

export const DEFAULT_CPU_PERIOD_US = 100_000;
/** The kernel refuses a smaller quota (min_cfs_quota_period) and a longer period. */
const MIN_QUOTA_US = 1000;
const MAX_PERIOD_US = 1_000_000;

export interface Quota {
  readonly quota_us: number;
  readonly period_us: number;
}

/** The CFS quota for a share of `millis` thousandths of a core. The share is kept before the period is. */
export function cpuQuota(millis: number, periodUs: number): Quota {
  const quota_us = Math.round((periodUs * millis) / 1000);
  if (quota_us >= MIN_QUOTA_US) return { quota_us, period_us: periodUs };
  const period_us = Math.min(MAX_PERIOD_US, Math.ceil((MIN_QUOTA_US * 1000) / millis));
  return { quota_us: MIN_QUOTA_US, period_us };
}

/** v2's weight (1..10000, 100 in the middle) in v1's shares (2..262144, 1024 in the middle): the same ratio between neighbours. */
export const sharesOfWeight = (weight: number): number =>
  Math.min(262_144, Math.max(2, Math.round((weight * 1024) / 100)));

/** @throws RangeError for what the kernel would refuse or read as "no limit". */
export function checkLimits(limits: CgroupLimits): void {
  for (const name of ["memory_bytes", "cpu_millis", "cpu_weight", "pids"] as const) {
    const value = limits[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`limit ${name} is ${value}: it must be a whole number of at least 1`);
    }
  }
  if (limits.cpu_weight > 10_000) throw new RangeError(`limit cpu_weight is ${limits.cpu_weight}: at most 10000`);
}

/** @throws RangeError outside of what the kernel takes as a period: 1 ms to 1 s. */
export function checkPeriod(periodUs: number): number {
  if (Number.isInteger(periodUs) && periodUs >= 1000 && periodUs <= MAX_PERIOD_US) return periodUs;
  throw new RangeError(`cpuPeriodUs is ${periodUs}: it must be a whole number from 1000 to ${MAX_PERIOD_US}`);
}
