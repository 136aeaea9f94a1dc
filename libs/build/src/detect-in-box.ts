import type { BuildJob, FunctionName } from "@mayfly/contract";
import type { ImageStore } from "@mayfly/image";
import { compilerCommand, lambdaEnvironment, runnerCommand } from "@mayfly/runtime";
import { type Detected, detectContract } from "./detect.ts";
import { BOX_ENV, pairs } from "./environment.ts";
import type { Meter } from "./meter.ts";
import type { Records } from "./records.ts";
import type { BoxRequest, OpenBox } from "./session.ts";

const MiB = 1024 * 1024;
const TIMEOUT_MS = 15_000;
/** What Node needs to start at all: the box that detects is metered and limited from its first instruction. */
const LEAST = { memory_bytes: 128 * MiB, pids: 64 } as const;

export interface DetectInput {
  readonly job: Pick<BuildJob, "settings"> & { readonly function: FunctionName };
  readonly openBox: OpenBox;
  readonly signal: AbortSignal;
}

/**
 * Loads the module of an image, or of layers over it, in a box, as a call would: which contract is it? `keepIn`: where a layer with its
 * compiled code goes. @throws BuildStopped
 */
export async function detectInBox(
  root: Pick<BoxRequest, "image" | "rootfs">,
  { job, openBox, signal }: DetectInput,
  records: Records,
  meter: Meter,
  keepIn: ImageStore | null = null,
): Promise<Detected> {
  records.start("detect");
  const { env, memory_bytes, tmp_bytes, pids, contract } = job.settings;
  const request: BoxRequest = {
    ...root,
    // Code is kept with a seed of its own: compilerCommand.
    start: keepIn ? "boot" : "fork",
    args: keepIn ? compilerCommand() : runnerCommand(),
    // As when it is called: a module may read files beside it while it loads.
    cwd: "/app",
    env: pairs({
      ...BOX_ENV,
      ...lambdaEnvironment({ function: job.function, version: 1, memory_bytes }),
      MAYFLY_FUNCTION: job.function,
      MAYFLY_MEMORY_BYTES: String(memory_bytes),
      ...env,
    }),
    limits: {
      memory_bytes: Math.max(memory_bytes, LEAST.memory_bytes),
      cpu_millis: 1_000,
      pids: Math.max(pids, LEAST.pids),
      tmp_bytes,
    },
    timeout_ms: TIMEOUT_MS,
    onLog: (stream, text) => records.log("detect", text, stream),
  };
  const session = await openBox(request);
  const { memory_bytes: most } = request.limits;
  const found = await meter.over(session, most, signal, () => detectContract(session, { contract, keepIn }, request));
  const kept = found.compiled ? `, ${found.compiled.size_bytes} bytes of compiled code` : "";
  records.done("detect", `contract ${found.contract}${kept}`);
  return found;
}
