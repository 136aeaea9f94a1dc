import { setTimeout as sleep } from "node:timers/promises";

/**
 * Polls until it is so or the time is over; answers whether it is so. The kernel has no event for most of what we wait for
 * (v1 has none), and it is nearly always so at the first look or within a millisecond.
 */
export async function waitUntil(isSo: () => boolean, boundMs: number): Promise<boolean> {
  const end = performance.now() + boundMs;
  for (let pause = 1; !isSo(); pause = Math.min(pause * 2, 20)) {
    if (performance.now() >= end) return false;
    await sleep(pause);
  }
  return true;
}
