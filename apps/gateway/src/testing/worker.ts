import {
  type BuildJob,
  type BuildResult,
  BuildUsage,
  type Digest,
  FRAME,
  type Frame,
  type InvocationRecord,
  type InvokeJob,
} from "@mayfly/contract";
import {
  type Consumer,
  connectChannel,
  consume,
  type FrameChannel,
  type RedisAddress,
  sendRecord,
} from "@mayfly/queue";

export const IMAGE = `sha256:${"a".repeat(64)}` as Digest;
const HOST = "test";

/** What a function does in a test: it has the whole channel of its call. Returns the HTTP status for the record, or null. */
export type Behave = (channel: FrameChannel, job: InvokeJob) => Promise<void>;
export type Built = (job: BuildJob, log: (msg: string) => Promise<void>) => Promise<BuildResult["outcome"]>;

/** The other end of a gateway: takes jobs, says hello, speaks frames, ships records. Runs no box: `behave` answers. */
export class TestWorker {
  /** Every claim that was answered, in order. */
  readonly claims: { invocation: string; go: boolean }[] = [];
  /** Invocations whose caller went away while they were served. */
  readonly cut: string[] = [];
  behave: Behave = echo;
  built: Built = async () => ({
    status: "done",
    image: IMAGE,
    contract: "fetch",
    size_bytes: 100,
    exports: ["default"],
  });
  /** Off: calls get no record, as when a worker dies. */
  billing = true;
  readonly #consumers: Consumer[];
  readonly #outbox: FrameChannel;
  #seq = 0;

  private constructor(consumers: (worker: TestWorker) => Consumer[], outbox: FrameChannel) {
    this.#outbox = outbox;
    this.#consumers = consumers(this);
  }

  static async start(options: { redis: RedisAddress; prefix: string; channel: string }): Promise<TestWorker> {
    const { channel: outbox } = await connectChannel(options.channel, { kind: "outbox", host: HOST });
    const open = (worker: TestWorker, queue: "invoke" | "build") =>
      consume({
        ...options,
        queue,
        concurrency: 16,
        process: (job) => (queue === "invoke" ? worker.#call(job as InvokeJob) : worker.#build(job as BuildJob)),
        onError: () => {},
      });
    return new TestWorker((worker) => [open(worker, "invoke"), open(worker, "build")], outbox);
  }

  async close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close(0)));
    this.#outbox.destroy();
  }

  /** Sends a record as a spool would. Resolves when it was acknowledged. */
  async ship(record: unknown): Promise<void> {
    this.#seq += 1;
    const seq = this.#seq;
    await sendRecord(this.#outbox, { seq, record });
    for await (const frame of this.#outbox.frames) if (frame.type === FRAME.ACK) return;
    throw new Error("the gateway closed the outbox");
  }

  async #call(job: InvokeJob): Promise<void> {
    const hello = { kind: "invocation", invocation: job.invocation, attempt: job.attempt, host: HOST } as const;
    const { channel, go } = await connectChannel(job.channel, hello);
    this.claims.push({ invocation: job.invocation, go: go.go });
    if (!go.go) return channel.close();
    await this.behave(channel, job).catch(() => void this.cut.push(job.invocation));
    channel.close();
    if (this.billing)
      await this.#shipInOrder({ kind: "invocation", record: recordOf(job), log: [LINE], log_dropped_bytes: 0 });
  }

  async #build(job: BuildJob): Promise<void> {
    const { channel, go } = await connectChannel(job.channel, { kind: "build", build: job.build, host: HOST });
    if (!go.go) return channel.close();
    const log_tail: BuildResult["log_tail"] = [];
    const outcome = await this.built(job, async (msg) => {
      const record = {
        ts: new Date().toISOString(),
        seq: log_tail.length + 1,
        step: "bundle",
        status: "log",
        msg,
      } as const;
      log_tail.push(record);
      await channel.sendJson(FRAME.RECORD, record);
    });
    const result: BuildResult = {
      build: job.build,
      function: job.function,
      ended_at: new Date().toISOString(),
      duration_us: 1000,
      log_tail,
      usage: BuildUsage.parse({ cpu_us: 5, memory_peak_bytes: 6, wall_us: 7 }),
      bill: null,
      outcome,
    };
    await this.#shipInOrder({ kind: "build", result });
    channel.close();
  }

  #shipping: Promise<void> = Promise.resolve();
  #shipInOrder(record: unknown): Promise<void> {
    this.#shipping = this.#shipping.then(() => this.ship(record));
    return this.#shipping;
  }
}

const LINE = { t_us: 1, stream: "stdout" as const, text: "a line" };

export const head = (channel: FrameChannel, status: number, headers: [string, string][] = []) =>
  channel.sendJson(FRAME.HEAD, { status, headers });

/** The request's body, until its END. Throws when the gateway closes before that: the caller went away. */
export async function* bodyOf(channel: FrameChannel): AsyncGenerator<Uint8Array> {
  for await (const frame of channel.frames as AsyncIterable<Frame>) {
    if (frame.type === FRAME.END) return;
    if (frame.type === FRAME.DATA) yield frame.payload;
  }
  throw new Error("the caller went away");
}

/** Resolves when the gateway has closed its side. */
export async function untilCut(channel: FrameChannel): Promise<never> {
  for await (const _ of channel.frames);
  throw new Error("the caller went away");
}

/** Answers with the body as it came, and with what the function saw of the head in headers of its own. */
export const echo: Behave = async (channel, job) => {
  const seen = job.head.headers.map(([name, value]): [string, string] => [`seen-${name}`, value]);
  await head(channel, 200, [["seen-method", job.head.method], ["seen-target", job.head.target], ...seen]);
  for await (const chunk of bodyOf(channel)) await channel.send(FRAME.DATA, chunk);
  await channel.send(FRAME.END);
};

export function recordOf(job: InvokeJob, status: InvocationRecord["status"] = "succeeded"): InvocationRecord {
  const now = `${new Date().toISOString().slice(0, -1)}000Z`;
  return {
    id: job.invocation,
    attempt: job.attempt,
    function: job.version.function,
    version: job.version.version,
    image: job.version.image,
    host: HOST,
    trigger: job.trigger,
    method: job.head.method,
    path: job.head.target,
    status,
    http_status: 200,
    received_at: now,
    started_at: now,
    ended_at: now,
    start: "booted",
    phases_us: { queue: 1, box: 2, init: 3, handler: 4, teardown: 5 },
    error: null,
    bill: {
      usage: {
        ...{ wall_us: 7, cpu_us: 5, cpu_user_us: 3, cpu_system_us: 2, init_cpu_us: 1, throttled_us: 0 },
        ...{ throttled_periods: 0, memory_limit_bytes: 128, memory_peak_bytes: 64, memory_anon_peak_bytes: null },
        ...{ oom_kills: 0, io_read_bytes: 0, io_write_bytes: 0, net_rx_bytes: 0, net_tx_bytes: 0, pids_peak: 1 },
        ...{ request_bytes: 0, response_bytes: 0, log_bytes: 7 },
      },
      meter: { cgroup: "v2", missing: ["memory_anon_peak_bytes"] },
      billed: { requests: 1, duration_ms: 1, memory_mib_ms: 128, cpu_ms: 1 },
      lines: [],
      total: { currency: "USD", amount: "0.000000250000" },
      price_table: { id: "default", version: 1, sha256: "0" },
    },
  };
}
