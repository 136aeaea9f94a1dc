import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { consumerConnection, producerConnection, QUEUES, type QueueName, type RedisAddress } from "./connection.ts";
import { watchLiveness } from "./liveness.ts";

/** Locks are short, so that what a killed worker held is found soon; they are renewed every half of it. */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
const LIVENESS_CHECK_MS = 5_000;

export interface Consumer {
  /** Takes no more jobs, waits up to `graceMs` for those that run, then aborts their signals and waits for their end. */
  close(graceMs: number): Promise<void>;
}

/** Takes jobs of one queue. `process` gets the payload as it was added and a signal that fires when it must end. */
export function consume(options: {
  redis: RedisAddress;
  prefix: string;
  queue: QueueName;
  concurrency: number;
  process: (job: unknown, signal: AbortSignal) => Promise<void>;
  onError: (error: Error) => void;
}): Consumer {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  let taken = 0;
  const process = async (job: { data: unknown }) => {
    taken += 1;
    const work = options.process(job.data, stop.signal);
    running.add(work);
    try {
      await work;
    } finally {
      running.delete(work);
    }
  };
  let worker = openWorker(options, process);
  // Its own connection, because it must be able to say that jobs wait when the worker's are stuck.
  const probe = new Redis(producerConnection(options.redis));
  probe.on("error", () => {}); // The worker's connection tells the same.
  const liveness = watchLiveness({
    everyMs: LIVENESS_CHECK_MS,
    waiting: () => probe.llen(`${options.prefix}:${options.queue}:wait`),
    taken: () => taken,
    hasRoom: () => running.size < options.concurrency,
    restart: (reason) => {
      options.onError(new Error(`queue ${options.queue}: ${reason}; its consumer is started anew`));
      // In the background, because it ends when its jobs have.
      worker.close().catch(options.onError);
      worker = openWorker(options, process);
    },
  });
  return {
    close: async (graceMs) => {
      liveness.stop();
      await within(worker.pause(true), 1_000);
      await within(Promise.allSettled(running), graceMs);
      stop.abort();
      await within(Promise.allSettled(running), 5_000);
      // Closing waits for Redis, which may be gone: then the connection is dropped.
      await within(worker.close(), 2_000);
      await within(worker.close(true), 500);
      probe.disconnect();
    },
  };
}

function openWorker(
  options: Parameters<typeof consume>[0],
  process: (job: { data: unknown }) => Promise<void>,
): Worker {
  const worker = new Worker(options.queue, process, {
    connection: consumerConnection(options.redis),
    prefix: options.prefix,
    concurrency: options.concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: QUEUES[options.queue].maxStalledCount,
    runRetryDelay: 500,
  });
  worker.on("error", options.onError);
  worker.on("failed", (_job, error) => options.onError(error));
  return worker;
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  await Promise.race([work.catch(() => {}), sleep(ms, undefined, { ref: false })]);
}
