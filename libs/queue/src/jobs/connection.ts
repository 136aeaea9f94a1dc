import type { ConnectionOptions } from "bullmq";
import type { RedisOptions } from "ioredis";

/** Our private Redis by its socket, or somebody's by URL. */
export type RedisAddress = { readonly path: string } | { readonly url: string };

/** ioredis' default waits up to 20 s between tries; a Redis that is back must be found at once. */
const retryStrategy = (tries: number): number => Math.min(50 * tries, 1_000);

export function base(address: RedisAddress) {
  if ("path" in address) return { path: address.path, retryStrategy };
  const url = new URL(address.url);
  return {
    host: url.hostname,
    port: Number(url.port || 6379),
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
    ...(url.pathname.length > 1 ? { db: Number(url.pathname.slice(1)) } : {}),
    ...(url.protocol === "rediss:" ? { tls: {} } : {}),
    retryStrategy,
  };
}

/** For who adds jobs: fails at once when Redis is away, instead of keeping callers waiting for it. */
export const producerConnection = (address: RedisAddress): RedisOptions => ({
  ...base(address),
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  // A Redis that hangs, or a network that swallows, is away too.
  commandTimeout: 2_000,
});

/** For who takes jobs: waits for Redis as long as it takes (BullMQ's demand). */
export const consumerConnection = (address: RedisAddress): ConnectionOptions => ({
  ...base(address),
  maxRetriesPerRequest: null,
});

/** Queues and how their jobs may be tried. */
export const QUEUES = {
  /** A sync call starts at most once: one attempt, and no second one for a worker that was lost. */
  invoke: { attempts: 1, maxStalledCount: 0 },
  /** A build gives the same image however often it runs, and outlives workers that die of something else. */
  build: { attempts: 2, maxStalledCount: 5 },
  /** Somebody waits for it and asks again. */
  publish: { attempts: 1, maxStalledCount: 0 },
  /** As above. */
  image: { attempts: 1, maxStalledCount: 0 },
  /** As above. */
  box: { attempts: 1, maxStalledCount: 0 },
} as const;
export type QueueName = keyof typeof QUEUES;
