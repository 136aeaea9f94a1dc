import type { BoxJob, BuildJob, ImageJob, InvokeJob, PublishJob } from "@mayfly/contract";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
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
  publish(job: PublishJob): Promise<void>;
  image(job: ImageJob): Promise<void>;
  removeImage(id: string): Promise<void>;
  box(job: BoxJob): Promise<void>;
  removeBox(id: string): Promise<void>;
  /** Jobs that wait for a worker. */
  waiting(queue: QueueName): Promise<number>;
  /** @throws Error when Redis does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the queues when Redis first answers; until then, and whenever it is away, every call fails at once. */
export function createProducer(options: {
  redis: RedisAddress;
  prefix: string;
  onError: (error: Error) => void;
}): Producer {
  const redis = new Redis(producerConnection(options.redis));
  redis.on("error", options.onError);
  let queues: Record<QueueName, Queue> | null = null;
  redis.on("ready", () => {
    queues ??= {
      invoke: open("invoke"),
      build: open("build"),
      publish: open("publish"),
      image: open("image"),
      box: open("box"),
    };
  });
  const open = (name: QueueName) => {
    const queue = new Queue(name, {
      connection: redis as never,
      prefix: options.prefix,
      defaultJobOptions: { attempts: QUEUES[name].attempts, removeOnComplete: KEEP, removeOnFail: KEEP },
    });
    queue.on("error", options.onError);
    return queue;
  };
  const queue = (name: QueueName): Queue => {
    if (!queues || redis.status !== "ready") throw new Error(`Redis is away (${redis.status})`);
    return queues[name];
  };
  const remove = async (name: QueueName, id: string) => {
    try {
      await queue(name).remove(id);
    } catch (error) {
      options.onError(error as Error);
    }
  };
  return {
    invoke: async (job) => void (await queue("invoke").add("invoke", job, { jobId: job.invocation })),
    removeInvoke: (id) => remove("invoke", id),
    build: async (job) => void (await queue("build").add("build", job, { jobId: job.build })),
    publish: async (job) => void (await queue("publish").add("publish", job, { jobId: job.publish })),
    image: async (job) => void (await queue("image").add("image", job, { jobId: job.request })),
    removeImage: (id) => remove("image", id),
    box: async (job) => void (await queue("box").add("box", job, { jobId: job.request })),
    removeBox: (id) => remove("box", id),
    removeBuild: (id) => remove("build", id),
    waiting: async (name) => queue(name).getWaitingCount(),
    ping: async () => void (await queue("invoke").getWaitingCount()),
    close: async () => {
      await Promise.all(Object.values(queues ?? {}).map((one) => one.close().catch(options.onError)));
      redis.disconnect();
    },
  };
}
