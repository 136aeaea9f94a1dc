import { BUILD_CACHE_LIMITS, type ImageResults, type ImageTask } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";

type Parts = Pick<WorkerDeps, "buildCache" | "mountCaches" | "clock">;

/** Forgets what builds remember and was not used lately; layers that images have stay with them. */
export async function pruneBuilds(
  { unused_s }: Extract<ImageTask, { verb: "prune_builds" }>,
  parts: Parts,
): Promise<ImageResults["prune_builds"]> {
  return prune(unused_s, Number.POSITIVE_INFINITY, parts);
}

/** Keeps what builds remember within its bounds; called when a build has ended, it looks once an hour. */
export class CacheUpkeep {
  readonly #parts: Parts;
  #looked_us = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async look(): Promise<void> {
    const now_us = this.#parts.clock.monotonicUs();
    const { every_ms, unused_ms, most_bytes } = BUILD_CACHE_LIMITS;
    if (now_us - this.#looked_us < every_ms * 1000) return;
    this.#looked_us = now_us;
    await prune(unused_ms / 1000, most_bytes, this.#parts);
  }
}

async function prune(unused_s: number, mostBytes: number, { buildCache, mountCaches, clock }: Parts) {
  const unusedSince = new Date(clock.epochUs() / 1000 - unused_s * 1000);
  const steps = await buildCache.prune({ unusedSince, mostBytes });
  const mounts = await mountCaches.prune({ unusedSince, mostBytes });
  return { steps: steps.count, mounts: mounts.count, freed_bytes: steps.freed_bytes + mounts.freed_bytes };
}
