import type { BuildJob, InvokeJob } from "@mayfly/contract";
import { Queue } from "bullmq";
import { producerConnection, QUEUES, type QueueName, type RedisAddress } from "./connection.ts";

/** Ended jobs are kept for a look at them, by age and number; their record is elsewhere. */
const KEEP = { age: 600, count: 1_000 };

export interface Producer {
  /** @throws Error at once when Redis is away */
  invoke(job: InvokeJob): Promise<void>;
  /** Takes a job back that nobody took. A job that runs stays. */
  removeInvoke(id: string): Promise<void>;
  build(job: BuildJob): Promise<void>;
  removeBuild(id: string): Promise<void>;
  /** Jobs that wait for a worker. */
  waiting(queue: QueueName): Promise<number>;
  /** @throws Error when Redis does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export function createProducer(options: {
  redis: RedisAddress;
  prefix: string;
  onError: (error: Error) => void;
}): Producer {
  const open = (name: QueueName) => {
    const queue = new Queue(name, {
      connection: producerConnection(options.redis),
      prefix: options.prefix,
      skipWaitingForReady: true,
      defaultJobOptions: { attempts: QUEUES[name].attempts, removeOnComplete: KEEP, removeOnFail: KEEP },
    });
    queue.on("error", options.onError);
    return queue;
  };
  const queues = { invoke: open("invoke"), build: open("build") };
  const remove = async (name: QueueName, id: string) => {
    await queues[name].remove(id).catch(options.onError);
  };
  return {
    invoke: async (job) => void (await queues.invoke.add("invoke", job, { jobId: job.invocation })),
    removeInvoke: (id) => remove("invoke", id),
    build: async (job) => void (await queues.build.add("build", job, { jobId: job.build })),
    removeBuild: (id) => remove("build", id),
    waiting: (name) => queues[name].getWaitingCount(),
    ping: async () => void (await queues.invoke.getWaitingCount()),
    close: async () => {
      await Promise.all(Object.values(queues).map((queue) => queue.close().catch(options.onError)));
    },
  };
}
