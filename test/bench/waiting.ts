import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { instanceOf } from "../../infra/src/home.ts";
import { parseHierarchies } from "../../libs/container/src/cgroup/mountinfo.ts";
import type { Bench } from "./bench.ts";
import { figure, mebibytes } from "./report/figure.ts";
import { deployMany } from "./system/many.ts";
import type { Mayfly } from "./system/mayfly.ts";

/** Idle boxes are gone after half a minute. */
const GONE_WITHIN_MS = 45_000;
const READY_WITHIN_MS = 20_000;
const SETTLE_MS = 1_000;
const PROCESSES = 20;

export const waiting: Bench = {
  name: "waiting",
  about:
    "What a box costs that waits for its only request, booted and with its code loaded: the memory that goes while it is there.",
  counts: "functions with a box each",
  usual: { blocks: 1, count: 60 },

  async run({ say, after, system }, { count }) {
    const mayfly = await system();
    const { names } = await deployMany(mayfly, count, say);
    say("waiting until no box waits any more");
    await until(() => boxesOf(mayfly) === 0, GONE_WITHIN_MS);
    const before = await available();
    // A single call is no traffic: no box is made ready after it.
    for (const name of names) for (let calls = 0; calls < 2; calls += 1) await (await mayfly.system.call(name)).text();
    await until(() => boxesOf(mayfly) >= count, READY_WITHIN_MS);
    const boxes = boxesOf(mayfly);
    if (boxes === 0) throw new Error("no box waits");
    const eachBox = (before - (await available())) / boxes;
    const eachNode = await nodeProcesses(after);
    return {
      tables: [
        {
          caption: "Memory that goes for one more",
          columns: ["", "MiB", "n"],
          rows: [
            ["a ready box, frozen", mebibytes(eachBox), String(boxes)],
            ["a node process that does nothing", mebibytes(eachNode), String(PROCESSES)],
          ],
        },
      ],
      ratios: [
        { measure: "memory of a waiting box", value: eachBox / 1024 / 1024, unit: "MiB", wanted: { atMost: 2.5 } },
        {
          measure: "memory of a node process ÷ a waiting box",
          value: eachNode / eachBox,
          unit: "",
          wanted: { atLeast: 15 },
        },
      ],
      charts: [],
      notes: [`What MemAvailable of /proc/meminfo falls by, of ${figure(boxes)} boxes of as many functions.`],
    };
  },
};

/** Boxes of this system, by their cgroups. */
function boxesOf(mayfly: Mayfly): number {
  const place = parseHierarchies(readFileSync("/proc/self/mountinfo", "utf8")).find(
    ({ version, controllers }) => version === "v2" || controllers.includes("memory"),
  )!;
  const names = readdirSync(`${place.mountPoint}/mayfly/${instanceOf(mayfly.system.home)}`);
  return names.filter((name) => name.startsWith("box_")).length;
}

/** Of nodes that wait for nothing, all at once. */
async function nodeProcesses(after: AsyncDisposableStack): Promise<number> {
  const before = await available();
  const children = Array.from({ length: PROCESSES }, () =>
    spawn(process.execPath, ["-e", "setInterval(() => {}, 1e9)"], { stdio: "ignore" }),
  );
  const stop = () => children.forEach((child) => void child.kill("SIGKILL"));
  after.defer(stop);
  await sleep(2 * SETTLE_MS);
  const each = (before - (await available())) / PROCESSES;
  stop();
  return each;
}

/** Bytes, when nothing has changed for a moment. */
async function available(): Promise<number> {
  await sleep(SETTLE_MS);
  return 1024 * Number(/^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))![1]);
}

async function until(met: () => boolean, withinMs: number): Promise<void> {
  for (let waited = 0; waited < withinMs && !met(); waited += 100) await sleep(100);
}
