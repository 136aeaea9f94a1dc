import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type BoxEnd, Fault } from "@mayfly/contract";
import type { KeptBox, Run } from "./kept-box.ts";
import { badSetting } from "./plan.ts";

/** @throws Fault bad_setting for what is no signal */
export function signalOf(text: string): NodeJS.Signals {
  const name = text.startsWith("SIG") ? text : `SIG${text}`;
  if (Object.hasOwn(constants.signals, name)) return name as NodeJS.Signals;
  throw badSetting(`${text} is no signal`);
}

/** Asks the program to end, and ends the box when it has not after so long. Without a run nothing is to be done. */
export async function stop(box: KeptBox, timeout_s: number): Promise<void> {
  const { run } = box;
  if (!run) return;
  await thaw(run);
  run.box.signal(signalOf(box.record.stop_signal));
  const patience = new AbortController();
  await Promise.race([run.box.ended, sleep(timeout_s * 1000, null, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
  run.box.kill({ kind: "killed", reason: `it did not end within ${timeout_s} s of being asked to` });
  await run.over;
}

/** SIGKILL ends the whole box; any other signal is the program's. */
export async function kill(box: KeptBox, signal: NodeJS.Signals): Promise<void> {
  const run = box.running();
  if (signal !== "SIGKILL") return run.box.signal(signal);
  run.box.kill({ kind: "killed", reason: "somebody killed it" });
  await run.over;
}

export const pause = (box: KeptBox): Promise<void> =>
  box.exclusively(async () => {
    const run = box.running();
    if (run.isPaused) throw new Fault("conflict", { detail: `${box.record.id} is paused already` });
    await run.box.freeze();
    run.isPaused = true;
  });

export const unpause = (box: KeptBox): Promise<void> =>
  box.exclusively(async () => {
    const run = box.running();
    if (!run.isPaused) throw new Fault("conflict", { detail: `${box.record.id} is not paused` });
    await thaw(run);
  });

async function thaw(run: Run): Promise<void> {
  if (run.isPaused) await run.box.thaw();
  run.isPaused = false;
}

/** While it stands still, when it runs and is to. */
export async function whileStill<T>(box: KeptBox, isWanted: boolean, act: () => Promise<T>): Promise<T> {
  return box.exclusively(async () => {
    const { run } = box;
    const isOurs = isWanted && run !== null && !run.isPaused;
    if (isOurs) await run.box.freeze();
    try {
      return await act();
    } finally {
      if (isOurs) await run.box.thaw();
    }
  });
}

/** How it ends, or has ended. @throws Fault conflict when it was never started */
export async function wait(box: KeptBox): Promise<BoxEnd> {
  if (box.run) return box.run.over;
  const { exit_code, ended } = box.record;
  if (exit_code === null || ended === null)
    throw new Fault("conflict", { detail: `${box.record.id} was not started yet` });
  return { exit_code, ended };
}
