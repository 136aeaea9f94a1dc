import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuildJob, InvokeJob } from "@mayfly/contract";
import { Worker } from "bullmq";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../testing/private-redis.ts";
import type { QueueName } from "./connection.ts";
import { type Consumer, consume } from "./consumer.ts";
import { createProducer, type Producer } from "./producer.ts";

const invocation = (name: string) => ({ invocation: name }) as unknown as InvokeJob;
const build = (name: string) => ({ build: name }) as unknown as BuildJob;

describe("jobs", () => {
  let redis: PrivateRedis;
  let producer: Producer;
  let consumers: Consumer[];
  let errors: string[];
  beforeEach(async () => {
    redis = await startPrivateRedis();
    errors = [];
    consumers = [];
    producer = createProducer({ redis: redis.address, prefix: "test", onError });
    await answering();
  });
  afterEach(async () => {
    await Promise.all(consumers.map((consumer) => consumer.close(0)));
    await producer.close();
    await redis.remove();
  });

  const onError = (error: Error) => void errors.push(error.message);
  const answering = () => vi.waitFor(() => producer.ping(), { timeout: 10_000, interval: 10 });
  const start = (process: (job: unknown, signal: AbortSignal) => Promise<void>, queue: QueueName = "invoke") => {
    consumers.push(consume({ redis: redis.address, prefix: "test", queue, concurrency: 4, process, onError }));
    return consumers.at(-1)!;
  };
  /** Takes jobs and remembers which and when. */
  const record = (queue: QueueName = "invoke") => {
    const taken: { name: string; at: number }[] = [];
    start(async (job) => {
      taken.push({ name: Object.values(job as object)[0] as string, at: performance.now() });
    }, queue);
    return taken;
  };

  it("arrive as they were added, each once", async () => {
    const seen: unknown[] = [];
    start(async (job) => void seen.push(job));
    const jobs = Array.from({ length: 50 }, (_, n) => ({ ...invocation(`inv_${n}`), deep: { text: "ü", n } }));
    await Promise.all(jobs.map((job) => producer.invoke(job)));
    await vi.waitFor(() => expect(seen).toHaveLength(50), { timeout: 10_000 });
    expect(new Set(seen.map((job) => JSON.stringify(job)))).toEqual(new Set(jobs.map((job) => JSON.stringify(job))));
  });

  it("can be taken back while nobody has them", async () => {
    await producer.invoke(invocation("inv_a"));
    await producer.invoke(invocation("inv_b"));
    expect(await producer.waiting("invoke")).toBe(2);
    await producer.removeInvoke("inv_a");
    const taken = record();
    await vi.waitFor(() => expect(taken.map(({ name }) => name)).toEqual(["inv_b"]));
  });

  it("that fail are told of and not tried again", async () => {
    let tries = 0;
    start(async () => {
      tries += 1;
      throw new Error("this one is broken");
    });
    await producer.invoke(invocation("inv_a"));
    await vi.waitFor(() => expect(errors).toContain("this one is broken"));
    await sleep(200);
    expect(tries).toBe(1);
  });

  it("are refused at once when Redis is away, before its first answer and after its death", async () => {
    await redis.kill();
    const late = createProducer({ redis: redis.address, prefix: "test", onError });
    const began = performance.now();
    await expect(late.invoke(invocation("inv_a"))).rejects.toThrow();
    await expect(producer.invoke(invocation("inv_b"))).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(1_000);
    await redis.start();
    await vi.waitFor(() => late.invoke(invocation("inv_a")), { timeout: 5_000 });
    await late.close();
  });

  it("are refused within seconds when Redis hangs", async () => {
    redis.suspend();
    const began = performance.now();
    await expect(producer.invoke(invocation("inv_a"))).rejects.toThrow("timed out");
    expect(performance.now() - began).toBeLessThan(5_000);
    redis.resume();
    await answering();
  });

  it("are taken again within two seconds after an outage of Redis", async () => {
    const taken = record();
    await producer.invoke(invocation("inv_before"));
    await vi.waitFor(() => expect(taken).toHaveLength(1));
    await redis.kill();
    await sleep(3_000);
    await redis.start();
    const back = performance.now();
    await vi.waitFor(() => producer.invoke(invocation("inv_after")), { timeout: 5_000, interval: 10 });
    await vi.waitFor(() => expect(taken).toHaveLength(2), { timeout: 10_000, interval: 10 });
    expect(taken[1]!.at - back).toBeLessThan(2_000);
  });

  it("run at most once each though Redis is killed under load, and those accepted after it is back all run", async () => {
    const taken = record();
    const accepted: string[] = [];
    let stopped = false;
    const load = (async () => {
      for (let n = 0; !stopped; n += 1) {
        const name = `inv_${n}`;
        await producer.invoke(invocation(name)).then(
          () => accepted.push(name),
          () => sleep(5),
        );
      }
    })();
    for (let round = 0; round < 3; round += 1) {
      await sleep(300);
      await redis.kill();
      await sleep(200);
      await redis.start();
      await answering();
    }
    // A busy disk makes Redis answer before it has written (appendfsync everysec postpones): what it took just before a kill can be lost.
    const since = accepted.length;
    await sleep(300);
    stopped = true;
    await load;
    const names = () => taken.map(({ name }) => name);
    const missing = () => accepted.slice(since).filter((name) => !names().includes(name));
    await vi.waitFor(() => expect(missing()).toEqual([]), { timeout: 20_000 });
    expect(names().filter((name, at) => names().indexOf(name) !== at)).toEqual([]);
    expect(accepted.length).toBeGreaterThan(100);
    expect(accepted.length - since).toBeGreaterThan(10);
  });

  it("of a worker that was killed: a call is not run again, a build is", async () => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "../testing/doomed-worker.ts"), redis.address.path],
      {
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    let held = "";
    child.stdout.on("data", (text) => {
      held += text;
    });
    await producer.invoke(invocation("inv_a"));
    await producer.build(build("bld_a"));
    await vi.waitFor(() => expect(held.trim().split("\n").sort()).toEqual(["build", "invoke"]), { timeout: 10_000 });
    child.kill("SIGKILL");
    const calls = record("invoke");
    const builds = record("build");
    await vi.waitFor(() => expect(builds.map(({ name }) => name)).toEqual(["bld_a"]), { timeout: 30_000 });
    await vi.waitFor(() => expect(errors.join()).toMatch(/stalled/), { timeout: 30_000 });
    expect(calls).toEqual([]);
  });

  it("are taken by a new consumer when the one there has stopped without a word", async () => {
    // As BullMQ 6.3 did after an outage: no error, `isRunning`, and nothing taken any more.
    vi.spyOn(Worker.prototype, "run").mockImplementationOnce(() => new Promise(() => {}));
    const taken = record();
    await producer.invoke(invocation("inv_a"));
    await vi.waitFor(() => expect(taken).toHaveLength(1), { timeout: 30_000 });
    expect(errors.join()).toMatch(/1 jobs wait and none was taken/);
  });

  it("that run are waited for at closing, and told to end when the time is over", async () => {
    let ended = 0;
    const consumer = start(
      (_, signal) =>
        new Promise((resolve) =>
          signal.addEventListener("abort", () => {
            ended += 1;
            resolve();
          }),
        ),
    );
    await producer.invoke(invocation("inv_a"));
    await vi.waitFor(async () => expect(await producer.waiting("invoke")).toBe(0));
    await sleep(100);
    const began = performance.now();
    await consumer.close(300);
    expect(ended).toBe(1);
    expect(performance.now() - began).toBeGreaterThan(250);
  });

  it("do not keep a consumer from closing when Redis is gone", async () => {
    const consumer = start(async () => {});
    await sleep(200);
    await redis.kill();
    const began = performance.now();
    await consumer.close(100);
    expect(performance.now() - began).toBeLessThan(8_000);
  });
});
