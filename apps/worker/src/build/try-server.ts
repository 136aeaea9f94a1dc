import type { TryServer } from "@mayfly/build";
import { newBoxId, type VersionSpec } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { noTraffic } from "../invoke/exchange.ts";
import { isMade, makeBox } from "../invoke/make-box.ts";
import { openProgram } from "../program/open.ts";

const WAITS_MS = 20_000;

/** Starts an image's program in a box as a call would have it, until it listens. */
export function serverTrier(deps: WorkerDeps): TryServer {
  return async ({ image, function: name, settings, onLog }, signal) => {
    const began = deps.clock.monotonicUs();
    const version: VersionSpec = { function: name, version: 1, image, contract: "http", settings };
    const release = deps.inUse.hold(image);
    const box = await makeBox({ id: newBoxId(Date.now()), version, call: null }, deps);
    if (!isMade(box)) {
      release();
      return { heard_us: null, ending: await box.ended, waited_ms: 0, usage: await box.remove(), wall_us: 0 };
    }
    box.stdout.on("data", (chunk: Buffer) => onLog("stdout", chunk.toString()));
    box.stderr.on("data", (chunk: Buffer) => onLog("stderr", chunk.toString()));
    const stop = () => box.kill({ kind: "killed", reason: "the build was cancelled" });
    signal.addEventListener("abort", stop, { once: true });
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      box.kill({ kind: "timeout" });
    }, WAITS_MS);
    const program = openProgram(box, version);
    try {
      const isUp = await program.initialise(noTraffic(), () => {});
      const wall_us = deps.clock.monotonicUs() - began;
      box.kill({ kind: "killed", reason: "it was tried" });
      const ending = await box.ended;
      return {
        heard_us: isUp && !isLate ? wall_us : null,
        ending: isLate ? null : ending,
        waited_ms: WAITS_MS,
        usage: await box.remove(),
        wall_us,
      };
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
      program.close();
      release();
    }
  };
}
