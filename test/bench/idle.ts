import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { cpuMs, descendantsOf } from "./measure/cpu.ts";
import { type Memory, memoryOf } from "./measure/memory.ts";
import { figure, mebibytes } from "./report/figure.ts";
import { deployMany } from "./system/many.ts";

const SECONDS = 20;

export const idle: Bench = {
  name: "idle",
  about: `What a system costs that nobody calls: CPU over ${SECONDS} s and memory, with functions deployed.`,
  counts: "functions deployed",
  usual: { blocks: 1, count: 100 },

  async run({ say, system }, { blocks, count }) {
    const mayfly = await system();
    await deployMany(mayfly, count, say);
    const services = Object.entries(mayfly.processes());
    const supervisor = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${services[0]![1]}/status`, "utf8"))![1]);
    const processes: [string, number][] = [["supervisor (npm start)", supervisor], ...services];
    await sleep(3_000);
    const before = processes.map(([, pid]) => cpuMs([pid]));
    await sleep(blocks * SECONDS * 1000);
    const cpu = processes.map(([, pid], i) => (cpuMs([pid]) - before[i]!) / blocks);
    const memory = processes.map(([, pid]) => memoryOf(pid));
    const known = new Set(processes.map(([, pid]) => pid));
    const boxes = descendantsOf(mayfly.processes().launcher!)
      .filter((pid) => !known.has(pid))
      .map(memoryOf);
    const ofBoxes = (field: keyof Memory) => boxes.reduce((sum, each) => sum + each[field], 0);
    const share = (100 * cpu.reduce((sum, ms) => sum + ms, 0)) / (SECONDS * 1000);
    const pss = memory.slice(1).reduce((sum, each) => sum + each.pss_bytes, ofBoxes("pss_bytes"));
    return {
      tables: [
        {
          caption: `${count} functions deployed, no traffic`,
          columns: ["process", `CPU ms in ${SECONDS} s`, "RSS MiB", "PSS MiB"],
          rows: [
            ...processes.map(([name], i) => [
              name,
              figure(cpu[i]!),
              mebibytes(memory[i]!.rss_bytes),
              mebibytes(memory[i]!.pss_bytes),
            ]),
            ["boxes that wait", "–", mebibytes(ofBoxes("rss_bytes")), mebibytes(ofBoxes("pss_bytes"))],
          ],
        },
      ],
      ratios: [
        {
          measure: `idle, ${count} functions: CPU of all our processes, share of a core`,
          value: share,
          unit: "%",
          wanted: { atMost: 1 },
        },
        {
          measure: `idle, ${count} functions: memory of gateway, worker, nursery, launcher, Redis and boxes that wait (sum of PSS)`,
          value: pss / 1024 / 1024,
          unit: "MiB",
          wanted: { atMost: 300 },
        },
      ],
      charts: [],
      notes: [
        "PSS counts a shared page once over all who share it, so that it can be added up; the supervisor, which only waits, is in the CPU and not in the memory. The box that waits for the next build is gone two minutes after the last one.",
      ],
    };
  },
};
