import { readFileSync } from "node:fs";
import type { Box } from "@mayfly/container";
import { newBoxId, type VersionSpec } from "@mayfly/contract";
import { FrameChannel } from "@mayfly/queue";
import { MODULE_PATH } from "@mayfly/runtime";
import type { WorkerDeps } from "../deps.ts";
import { load, noTraffic, started } from "../invoke/exchange.ts";
import { isMade, makeBox } from "../invoke/make-box.ts";

/** A box that has loaded user code, has seen no request and is frozen until it gets its only one. */
export interface ReadyBox {
  readonly box: Box;
  readonly channel: FrameChannel;
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
  const box = await makeBox({ id: newBoxId(Date.now()), version, call: null }, deps);
  if (!isMade(box)) {
    release();
    return null;
  }
  const channel = new FrameChannel(box.channel!);
  const late = setTimeout(() => box.kill({ kind: "timeout" }), LOADS_WITHIN_MS);
  try {
    if (await started(box, channel)) {
      const began = clock.monotonicUs();
      if (await load(channel, version, MODULE_PATH, noTraffic())) {
        const initUs = clock.monotonicUs() - began;
        const initCpuUs = box.sample().cpu_us;
        await box.freeze();
        return { box, channel, initUs, initCpuUs, bytes: privateBytes(box.pid), release };
      }
    }
  } catch (error) {
    deps.log.warn({ err: error, function: version.function }, "a box could not be made ready");
  } finally {
    clearTimeout(late);
  }
  await discard({ box, channel, release }, "it could not be made ready");
  return null;
}

/** Afterwards nothing of it is left. */
export async function discard(
  { box, channel, release }: Pick<ReadyBox, "box" | "channel" | "release">,
  reason: string,
): Promise<void> {
  channel.destroy();
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
