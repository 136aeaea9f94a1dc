import { readFileSync } from "node:fs";
import type { Box } from "@mayfly/container";
import { newBoxId, type VersionSpec } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { noTraffic } from "../invoke/exchange.ts";
import { isMade, makeBox } from "../invoke/make-box.ts";
import { openProgram } from "../program/open.ts";
import type { Program } from "../program/program.ts";

/** A box that has loaded user code, has seen no request and is frozen until it gets its only one. */
export interface ReadyBox {
  readonly box: Box;
  readonly program: Program;
  /** How long user code took to load, and the CPU that it took. */
  readonly initUs: number;
  readonly initCpuUs: number | null;
  /** Memory that is this box's alone. */
  readonly bytes: number;
  /** Its image is in use until then. */
  readonly release: () => void;
}

/** What loads longer than this is loaded when it is called. */
const LOADS_WITHIN_MS = 10_000;

/** Null when it cannot be: the next call meets the same failure in a box of its own, and tells of it. */
export async function prepare(version: VersionSpec, deps: WorkerDeps): Promise<ReadyBox | null> {
  const { clock } = deps;
  const release = deps.inUse.hold(version.image);
  const box = await makeBox({ id: newBoxId(Date.now()), version, contracts: [version.contract], call: null }, deps);
  if (!isMade(box)) {
    release();
    return null;
  }
  const program = openProgram(box, version);
  const late = setTimeout(() => box.kill({ kind: "timeout" }), LOADS_WITHIN_MS);
  try {
    let began = 0;
    const onMade = () => {
      began = clock.monotonicUs();
    };
    if (await program.initialise(noTraffic(), onMade)) {
      const initUs = clock.monotonicUs() - began;
      const initCpuUs = box.sample().cpu_us;
      await box.freeze();
      return { box, program, initUs, initCpuUs, bytes: privateBytes(box.pid), release };
    }
  } catch (error) {
    deps.log.warn({ err: error, function: version.function }, "a box could not be made ready");
  } finally {
    clearTimeout(late);
  }
  await discard({ box, program, release }, "it could not be made ready");
  return null;
}

/** Afterwards nothing of it is left. */
export async function discard(
  { box, program, release }: Pick<ReadyBox, "box" | "program" | "release">,
  reason: string,
): Promise<void> {
  program.close();
  box.stdout.resume();
  box.stderr.resume();
  box.kill({ kind: "killed", reason });
  await box.remove();
  release();
}

/** /proc/PID/smaps_rollup, Private_Clean and Private_Dirty. */
function privateBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  let kib = 0;
  for (const [, amount] of rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)) kib += Number(amount);
  return kib * 1024;
}
