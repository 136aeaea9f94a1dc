import type { ServerContract, TryServer } from "@mayfly/build";
import type { Box } from "@mayfly/container";
import { newBoxId, type VersionSpec } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { noTraffic } from "../invoke/exchange.ts";
import { isMade, makeBox } from "../invoke/make-box.ts";
import { openProgram } from "../program/open.ts";
import { tellLines } from "./log-lines.ts";

const WAITS_MS = 20_000;

/** Starts an image's program in a box as a call would have it, until it takes a request in one of the ways that are tried. */
export function serverTrier(deps: WorkerDeps): TryServer {
  return async ({ image, function: name, settings, contracts, onLog }, signal) => {
    const began = deps.clock.monotonicUs();
    const version: VersionSpec = { function: name, version: 1, image, contract: contracts[0]!, settings };
    const release = deps.inUse.hold(image);
    const box = await makeBox({ id: newBoxId(Date.now()), version, contracts, call: null }, deps);
    if (!isMade(box)) {
      release();
      const ending = await box.ended;
      return { found: null, failure: null, ending, waited_ms: 0, usage: await box.remove(), wall_us: 0 };
    }
    // What it says of its end is no concern of who deploys it.
    let isFound = false;
    const told = tellLines(box, (stream, text) => {
      if (!isFound) onLog(stream, text);
    });
    const stop = () => box.kill({ kind: "killed", reason: "the build was cancelled" });
    signal.addEventListener("abort", stop, { once: true });
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      box.kill({ kind: "timeout" });
    }, WAITS_MS);
    try {
      const { contract, failure } = await firstOf(contracts, box, version);
      const wall_us = deps.clock.monotonicUs() - began;
      isFound = contract !== null;
      box.kill({ kind: "killed", reason: "it was tried" });
      const ending = await box.ended;
      await told;
      return {
        found: contract && !isLate ? { contract, after_us: wall_us } : null,
        failure,
        ending: isLate ? null : ending,
        waited_ms: WAITS_MS,
        usage: await box.remove(),
        wall_us,
      };
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
      release();
    }
  };
}

/** The way that it takes first. None: it ended, or told of its failure. */
async function firstOf(
  contracts: readonly ServerContract[],
  box: Box,
  version: VersionSpec,
): Promise<{ contract: ServerContract | null; failure: string | null }> {
  const traffic = noTraffic();
  const programs = contracts.map((contract) => openProgram(box, version, contract));
  try {
    return await new Promise((resolve, reject) => {
      for (const [at, program] of programs.entries()) {
        const settle = (isUp: boolean) =>
          resolve({ contract: isUp ? contracts[at]! : null, failure: traffic.boxError?.message ?? null });
        program.initialise(traffic, () => {}).then(settle, reject);
      }
    });
  } finally {
    for (const program of programs) program.close();
  }
}
