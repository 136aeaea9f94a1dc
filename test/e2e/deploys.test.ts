import { readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type System, startSystem } from "./system.ts";

let mayfly: System;
afterEach(() => mayfly?.stop(), 60_000);

/** Another module each time. */
const moduleOf = (turn: number) => `console.log("loading");\nexport default () => Response.json({ turn: ${turn} });\n`;

/** Boxes of this system that wait for a build, by their cgroups. */
function waiting(): string[] {
  const instance = /MAYFLY_INSTANCE=([^\0]+)/.exec(readFileSync(`/proc/${mayfly.pid("worker")}/environ`, "utf8"))![1]!;
  try {
    const all = readdirSync("/sys/fs/cgroup", { recursive: true, encoding: "utf8" });
    const found = all.flatMap((path) => new RegExp(`mayfly/${instance}/(builder_[0-9a-f]{32})$`).exec(path)?.[1] ?? []);
    return [...new Set(found)];
  } catch {
    return waiting(); // A group of somebody else's went while we looked.
  }
}

/** Deploys, calls, and gives the build's log as `step status`, what the module said while it was loaded among them. */
async function deployed(turn: number): Promise<string[]> {
  const answer = await mayfly.deploy("fn", moduleOf(turn));
  expect(answer.ok, await answer.clone().text()).toBe(true);
  expect(await (await mayfly.call("fn")).json()).toEqual({ turn });
  const log = await (await mayfly.api(`${answer.headers.get("location")}/log`)).text();
  const records = log.trim().split("\n");
  return records.map((line) => {
    const { step, status, msg } = JSON.parse(line) as Record<string, string>;
    return status === "log" ? `${step} said ${msg}` : `${step} ${status}`;
  });
}

const STEPS = ["box", "receive", "unpack", "bundle", "layer", "detect"].flatMap((step) => [
  `${step} start`,
  `${step} done`,
]);

describe("deploys of modules", { timeout: 300_000 }, () => {
  it("one after the other are built each in a box of its own, which was there before", async () => {
    mayfly = await startSystem();
    const seen = new Set<string>();
    for (let turn = 1; turn <= 4; turn += 1) {
      await vi.waitFor(() => expect(waiting()).toHaveLength(1), { timeout: 20_000 });
      const [before] = waiting();
      expect(seen).not.toContain(before);
      seen.add(before!);
      const log = await deployed(turn);
      expect([...STEPS, "detect said loading"].filter((step) => !log.includes(step))).toEqual([]);
      expect(waiting()).not.toContain(before);
    }
  });

  it("at once are all built, by whichever boxes", async () => {
    mayfly = await startSystem();
    const answers = await Promise.all(
      [1, 2, 3, 4].map((turn) => mayfly.deploy(`fn-${turn}`, moduleOf(turn)).then((answer) => answer.status)),
    );
    expect(answers).toEqual([201, 201, 201, 201]);
    const turns = [1, 2, 3, 4].map(async (turn) => (await mayfly.call(`fn-${turn}`)).json());
    expect(await Promise.all(turns)).toEqual([1, 2, 3, 4].map((turn) => ({ turn })));
  });

  it("are built without a box that waits and without a nursery where there is neither", async () => {
    mayfly = await startSystem({ MAYFLY_READY_MEMORY: "0", MAYFLY_NURSERY: "off" });
    for (let turn = 1; turn <= 2; turn += 1) {
      const log = await deployed(turn);
      expect(STEPS.filter((step) => !log.includes(step))).toEqual([]);
      expect(waiting()).toEqual([]);
    }
  });
});
