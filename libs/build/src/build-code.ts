import type { Readable } from "node:stream";
import type { BuildJob, BuildRecord, BuildResult, Digest } from "@mayfly/contract";
import type { ImageStore } from "@mayfly/image";
import { NODE_PATH, runnerCommand } from "@mayfly/runtime";
import { detectContract } from "./detect.ts";
import { BuildStopped } from "./fault.ts";
import { makeLayer } from "./make-layer.ts";
import { Meter } from "./meter.ts";
import { Records } from "./records.ts";
import type { BoxRequest, OpenBox } from "./session.ts";

const MiB = 1024 * 1024;
/** Bounds on the box that bundles, whoever asks for it. */
export const BUILD_LIMITS = { memory_bytes: 1024 * MiB, cpu_millis: 2_000, pids: 128, tmp_bytes: 512 * MiB } as const;
const BUILD_TIMEOUT_MS = 60_000;
const DETECT_TIMEOUT_MS = 15_000;
/** What Node needs to start at all: the box that detects is metered and limited from its first instruction. */
const DETECT_LEAST = { memory_bytes: 128 * MiB, pids: 64 } as const;
/** One time for every image: the same source gives the same digest. */
const CREATED = new Date("2026-01-01T00:00:00Z");
const ENV = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/tmp", LANG: "C.UTF-8" };

export const BUILDER_PATH = "/mayfly/builder.mjs";
/** The command line of a builder box. */
export const builderCommand = (): string[] => [NODE_PATH, "--disable-warning=ExperimentalWarning", BUILDER_PATH];

export interface BuildCodeInput {
  readonly job: BuildJob;
  readonly openSource: () => Readable;
  readonly store: ImageStore;
  /** Manifest digests of mayfly/node and mayfly/builder. */
  readonly base: Digest;
  readonly builder: Digest;
  readonly openBox: OpenBox;
  readonly onRecord: (record: BuildRecord) => void;
  readonly now: () => Date;
  /** Aborted: the box that runs is stopped and the outcome is an error that says so. */
  readonly signal: AbortSignal;
}

export type BuiltCode = Pick<BuildResult, "outcome" | "usage">;

/**
 * Source → image: bundled in one box, one layer over the base, loaded in a second box to find its contract. Whatever the source does
 * is an outcome, not a throw; usage is of both boxes. @throws when the source cannot be read, the store fails or no box can be had
 */
export async function buildCode(input: BuildCodeInput): Promise<BuiltCode> {
  const records = new Records(input.onRecord, input.now);
  const meter = new Meter();
  try {
    const { image, size_bytes } = await bundled(input, records, meter);
    const { contract, exports } = await detected(image, input, records, meter);
    return { outcome: { status: "done", image, contract, size_bytes, exports }, usage: meter.usage };
  } catch (error) {
    if (!(error instanceof BuildStopped)) throw error;
    const fault = input.signal.aborted ? CANCELLED : error.fault;
    records.error("build", fault);
    return { outcome: { status: "error", error: fault }, usage: meter.usage };
  }
}

const CANCELLED = { code: "build_failed", message: "the build was cancelled" } as const;

async function bundled(
  input: BuildCodeInput,
  records: Records,
  meter: Meter,
): Promise<{ image: Digest; size_bytes: number }> {
  const { job, store, signal } = input;
  if (job.settings.contract !== null && job.settings.contract !== "fetch") {
    throw new BuildStopped({
      code: "handler_not_found",
      message: `contract=${job.settings.contract} cannot be built from code in this version`,
      hint: "leave contract out, or set it to fetch",
    });
  }
  records.start("box");
  const request: BoxRequest = {
    image: input.builder,
    args: builderCommand(),
    env: pairs({ ...ENV, ESBUILD_BINARY_PATH: "/usr/local/bin/esbuild" }),
    limits: BUILD_LIMITS,
    timeout_ms: BUILD_TIMEOUT_MS,
    onLog: (stream, text) => records.log("bundle", text, stream),
  };
  const session = await input.openBox(request);
  return meter.over(session, signal, async () => {
    const init = { kind: job.source.kind, file_name: job.source.file_name, entry: job.settings.entry };
    const source = { init, bytes: input.openSource() };
    const { layer, size_bytes } = await makeLayer(session, request, source, store, records);
    const image = await store.createImage({
      base: input.base,
      layers: [layer],
      config: { User: "fn", WorkingDir: "/app", Cmd: runnerCommand() },
      history: ["mayfly: code"],
      created: CREATED,
    });
    return { image, size_bytes };
  });
}

async function detected(image: Digest, input: BuildCodeInput, records: Records, meter: Meter) {
  records.start("detect");
  const { env, memory_bytes, tmp_bytes, pids } = input.job.settings;
  const request: BoxRequest = {
    image,
    args: runnerCommand(),
    env: pairs({ ...ENV, MAYFLY_FUNCTION: input.job.function, MAYFLY_MEMORY_BYTES: String(memory_bytes), ...env }),
    limits: {
      memory_bytes: Math.max(memory_bytes, DETECT_LEAST.memory_bytes),
      cpu_millis: 1_000,
      pids: Math.max(pids, DETECT_LEAST.pids),
      tmp_bytes,
    },
    timeout_ms: DETECT_TIMEOUT_MS,
    onLog: (stream, text) => records.log("detect", text, stream),
  };
  const session = await input.openBox(request);
  const found = await meter.over(session, input.signal, () => detectContract(session, request));
  records.done("detect", `contract ${found.contract}`);
  return found;
}

const pairs = (env: Readonly<Record<string, string>>): string[] =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`);
