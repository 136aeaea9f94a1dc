import { Redis } from "ioredis";
import { base } from "./connection.ts";

/** BullMQ's scripts need 6.2; https://docs.bullmq.io ("Redis compatibility"). Valkey says in the same field what it is compatible with. */
const OLDEST = [6, 2] as const;

/**
 * Asks a Redis that somebody else runs whether it can carry our queues.
 * @throws Error saying what is wrong: no answer, too old, or that it throws jobs away when its memory is full
 */
export async function requireRedis(url: string): Promise<void> {
  const redis = new Redis({
    ...base({ url }),
    lazyConnect: true,
    retryStrategy: null,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
  });
  const where = `the Redis at ${new URL(url).host}`;
  let last: Error | null = null;
  redis.on("error", (error) => {
    last = error;
  });
  try {
    await redis.connect();
    const info = await redis.info();
    const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? "";
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
      throw new Error(`it is ${version || "of no version that it tells"}, ${OLDEST.join(".")} or later is needed`);
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
    if (policy !== undefined && policy !== "noeviction")
      throw new Error(`its maxmemory-policy is ${policy}, which loses jobs: CONFIG SET maxmemory-policy noeviction`);
  } catch (error) {
    throw new Error(`${where} cannot be used: ${(last ?? (error as Error)).message}`);
  } finally {
    redis.disconnect();
  }
}
