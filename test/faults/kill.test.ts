import { type FSWatcher, readdirSync, readFileSync, watch } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { instanceOf } from "../../infra/src/home.ts";
import { type Settled, type System, startSystem } from "../e2e/system.ts";

const ROUNDS = 20;
const CALLERS = 4;

/**
 * An independent witness: the kernel's own notice of every cgroup that is made for a call. It shares no code with what it watches:
 * each box that ever existed is in it once, and must be in the ledger once.
 */
class Witness {
  readonly boxes = new Set<string>();
  readonly #watcher: FSWatcher;
  constructor(home: string) {
    const hierarchy = /^(\S+ ){4}(\S*\/cgroup\/pids) /m.exec(readFileSync("/proc/self/mountinfo", "utf8"))![2];
    const instance = instanceOf(home);
    const dir = `${hierarchy}/mayfly/${instance}`;
    const see = () => {
      for (const name of readdirSync(dir)) if (name.startsWith("inv_")) this.boxes.add(name);
    };
    this.#watcher = watch(dir, (_event, name) => {
      if (name?.startsWith("inv_")) this.boxes.add(name);
    });
    see();
  }
  close() {
    this.#watcher.close();
  }
}

describe("what is killed -9 under load comes back by itself, and every box has one bill", () => {
  let mayfly: System;
  let witness: Witness;
  const answered = new Map<string, number>();
  let loading = true;
  let callers: Promise<void>[];

  beforeAll(async () => {
    // A ready box has no call to be named after: the witness could not tell for which it was (test/e2e/ready.test.ts kills there).
    mayfly = await startSystem({ MAYFLY_READY_MEMORY: "0" });
    const source =
      "export default async () => { await new Promise((r) => setTimeout(r, 20)); return new Response('ok'); }";
    expect((await mayfly.deploy("victim", source, "timeout=10s")).status).toBe(201);
    witness = new Witness(mayfly.home);
    callers = Array.from({ length: CALLERS }, async () => {
      while (loading) {
        try {
          const answer = await mayfly.call("victim", { signal: AbortSignal.timeout(15_000) });
          const id = answer.headers.get("mayfly-invocation");
          await answer.text();
          if (id) answered.set(id, answer.status);
        } catch {
          // The gateway was killed: who called it does not know what became of the call. The witness does.
        }
        await sleep(10);
      }
    });
  }, 300_000);
  afterAll(async () => {
    loading = false;
    await Promise.all(callers);
    witness.close();
    await mayfly?.stop();
  }, 120_000);

  for (const service of ["worker", "gateway", "redis"] as const) {
    it(`the ${service}, ${ROUNDS} times`, async () => {
      const recoveries: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        await sleep(100 + Math.random() * 400);
        const victim = mayfly.pid(service);
        expect(victim, `${service} runs before round ${round}`).not.toBe(null);
        process.kill(victim!, "SIGKILL");
        recoveries.push(await recovered());
      }
      console.info(`${service}: answers again after at most ${Math.round(Math.max(...recoveries))} ms`);
      expect(Math.max(...recoveries)).toBeLessThan(20_000);
    }, 400_000);
  }

  it("and in the end there is one bill for every box, and none for what never was", async () => {
    loading = false;
    await Promise.all(callers);
    const bills = await settledBills();
    const billed = bills.map((bill) => bill.id as string);
    expect(new Set(billed).size).toBe(billed.length);
    expect([...witness.boxes].filter((id) => !billed.includes(id))).toEqual([]);
    // A bill without a box is of a worker that died between taking the call and making the box: nothing counted, nothing due.
    const boxless = bills.filter((bill) => !witness.boxes.has(bill.id));
    expect(boxless.filter((bill) => bill.status !== "platform_error" || Number(bill.bill.total.amount) !== 0)).toEqual(
      [],
    );
    expect(boxless.length).toBeLessThan(3 * ROUNDS * CALLERS);
    const lost = [...answered].filter(([id, status]) => status === 200 && !billed.includes(id));
    expect(lost).toEqual([]);
    expect(witness.boxes.size).toBeGreaterThan(100);
    console.info(`${witness.boxes.size} boxes, ${billed.length} bills, ${boxless.length} of them without a box`);
  }, 120_000);

  /** Milliseconds until a call is answered with 200 again. */
  async function recovered(): Promise<number> {
    const began = performance.now();
    while (performance.now() - began < 30_000) {
      try {
        const answer = await mayfly.call("victim", { signal: AbortSignal.timeout(12_000) });
        const id = answer.headers.get("mayfly-invocation");
        await answer.text();
        if (id) answered.set(id, answer.status);
        if (answer.status === 200) return performance.now() - began;
      } catch {
        // Not yet.
      }
      await sleep(20);
    }
    throw new Error(`no answer within 30 s\n${mayfly.output().slice(-3000)}`);
  }

  async function settledBills(): Promise<Settled[]> {
    let before = -1;
    for (;;) {
      const all = await everyBill();
      if (all.length === before) return all;
      before = all.length;
      await sleep(3_000);
    }
  }

  async function everyBill(): Promise<Settled[]> {
    const all: Settled[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = (await (await mayfly.api(`/v1/bills?limit=1000${cursor ? `&cursor=${cursor}` : ""}`)).json()) as {
        bills: Settled[];
        cursor: string | null;
      };
      all.push(...page.bills);
      cursor = page.cursor;
    }
    return all.filter((bill) => bill.function === "victim");
  }
});
