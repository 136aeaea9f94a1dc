import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunProgram } from "@mayfly/build";
import { type Box, NetworkError } from "@mayfly/container";
import { FIXED_LIMITS, RUN_LIMITS } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { sizeOf, watchDisk } from "../disk-use.ts";
import { tellLines } from "./log-lines.ts";
import { type ReadyMounts, readyMounts } from "./run-mounts.ts";

/** Beside calls, builds have less of the processor. */
const CPU_WEIGHT = 50;
/** Where a script of a heredoc lies while it runs. */
const SCRIPT = ".mayfly-script";

/** RUN in a box of its own over the layers below, whose writable layer is a folder. `id` names the build. */
export function programRunner(
  id: string,
  folder: string,
  deps: Pick<WorkerDeps, "boxes" | "surroundings" | "mountCaches" | "clock">,
): RunProgram {
  let runs = 0;
  const { memory_bytes, cpu_millis, pids, tmp_bytes } = RUN_LIMITS;
  const limits = { memory_bytes, cpu_millis, pids, tmp_bytes };
  return async (request, signal) => {
    // Stages run side by side: the number is taken before anything is waited for.
    const number = ++runs;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const dir = await mkdtemp(join(folder, `${id}-`));
    const release = () => rm(dir, { recursive: true, force: true });
    let ready: ReadyMounts | undefined;
    let box: Box | undefined;
    try {
      ready = await readyMounts(request.mounts, dir, deps.mountCaches, signal);
      const script = request.script && (await scriptLayer(dir, request.script.content));
      const { surroundings } = deps;
      const above = [script, surroundings.layer].filter((layer) => layer !== null);
      box = await deps.boxes.start({
        id: `${id}-run-${number}`,
        rootfs: { lower: [...above, ...request.rootfs.lower, await mountPoints(dir)] },
        mounts: ready.mounts,
        writable: dir,
        serve: null,
        idBase: null,
        args: script ? [`/${SCRIPT}`] : request.args,
        env: surroundings.around(request.env),
        cwd: request.cwd,
        user: request.user,
        // As BuildKit calls it.
        hostname: "buildkitsandbox",
        limits: { ...limits, cpu_weight: CPU_WEIGHT, open_files: FIXED_LIMITS.open_files },
        // As everywhere, a user who is not root has no power over files of others.
        profile: request.user.uid === 0 ? "build" : "function",
        nursery: null,
        meter: "from_exec",
        network: request.network === "none" ? "none" : await networkFor(request, deps),
        channel: false,
        stdin: false,
        terminal: false,
      });
      await ready.entered();
      const began = deps.clock.monotonicUs();
      const told = tellLines(box, request.onOutput);
      const ending = await bounded(box, [dir, ...ready.caches], signal);
      await told;
      const wall_us = deps.clock.monotonicUs() - began;
      const used = {
        ...(await box.remove()),
        wall_us,
        memory_limit_bytes: limits.memory_bytes,
        disk_bytes: await sizeOf(dir),
      };
      await surroundings.takeOut(join(dir, "u"));
      return { ending, used, writable: { upper: join(dir, "u"), id_base: box.idBase }, release };
    } catch (error) {
      // What failed may be ours, and the program still run.
      box?.kill({ kind: "killed", reason: "its build failed" });
      await box?.remove();
      await release();
      throw error;
    } finally {
      await ready?.release();
    }
  };
}

/** A build goes on without a network where this host cannot give one; a program that needs it says what it misses. */
async function networkFor(
  { onOutput }: Parameters<RunProgram>[0],
  deps: Pick<WorkerDeps, "boxes">,
): Promise<"egress" | "none"> {
  try {
    await deps.boxes.openNetwork();
    return "egress";
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    onOutput("stderr", `mayfly: this program has no network: ${error.message}\n`);
    return "none";
  }
}

/**
 * The lowest layer, with the folders that a box is given: an image of one program has none of them, and the layer that is made gets none,
 * as they are not written.
 */
async function mountPoints(dir: string): Promise<string> {
  const layer = join(dir, "mount-points");
  for (const name of ["dev", "etc", "proc"]) await mkdir(join(layer, name), { recursive: true, mode: 0o755 });
  await writeFile(join(layer, "etc/resolv.conf"), "");
  return layer;
}

/** A layer of its own: what is in the image does not hold it. */
async function scriptLayer(dir: string, content: string): Promise<string> {
  const folder = join(dir, "script");
  await mkdir(folder, { mode: 0o755 });
  await writeFile(join(folder, SCRIPT), content, { mode: 0o755 });
  return folder;
}

/** Its end; it is killed when the build is cancelled, when it takes too long, and when it fills one of its folders. */
async function bounded(box: Box, folders: readonly string[], signal: AbortSignal) {
  const stop = () => box.kill({ kind: "killed", reason: "the build was cancelled" });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const late = setTimeout(() => box.kill({ kind: "timeout" }), RUN_LIMITS.timeout_ms);
  const watches = folders.map((folder) => watchDisk(box, folder, RUN_LIMITS.disk_bytes));
  try {
    return await box.ended;
  } finally {
    clearTimeout(late);
    for (const unwatch of watches) unwatch();
    signal.removeEventListener("abort", stop);
  }
}
