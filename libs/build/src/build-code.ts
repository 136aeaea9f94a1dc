import type { Readable } from "node:stream";
import type { BuildFault, BuildJob, BuildRecord, BuildResult, CgroupUsage, Digest } from "@mayfly/contract";
import type { ImageStore } from "@mayfly/image";
import { NODE_PATH, runnerCommand } from "@mayfly/runtime";
import { detectContract } from "./detect.ts";
import { makeLayer } from "./make-layer.ts";
import { Records } from "./records.ts";
import { type BoxSession, BuildStopped, type OpenBox } from "./session.ts";

const MiB = 1024 * 1024;
/** Bounds on one build, whoever asks for it. */
export const BUILD_LIMITS = { memory_bytes: 1024 * MiB, cpu_millis: 2_000, pids: 128, tmp_bytes: 512 * MiB } as const;
const BUILD_TIMEOUT_MS = 60_000;
const DETECT_TIMEOUT_MS = 15_000;
/** One time for every image: the same source gives the same digest. */
const CREATED = new Date("2026-01-01T00:00:00Z");
const ENV = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LANG=C.UTF-8"];

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
  readonly signal: AbortSignal;
}

export type BuiltCode = Pick<BuildResult, "outcome" | "usage">;

/**
 * Source → image: bundled in one box, one layer over the base, loaded in a second box to find its contract. Whatever the source does
 * is an outcome, not a throw; usage is of both boxes.
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
    records.error("build", error.fault as BuildFault);
    return { outcome: { status: "error", error: error.fault }, usage: meter.usage };
  }
}

async function bundled(
  input: BuildCodeInput,
  records: Records,
  meter: Meter,
): Promise<{ image: Digest; size_bytes: number }> {
  const { job, store } = input;
  records.start("box");
  const session = await input.openBox({
    image: input.builder,
    args: [NODE_PATH, "--disable-warning=ExperimentalWarning", "/mayfly/builder.mjs"],
    env: [...ENV, "ESBUILD_BINARY_PATH=/usr/local/bin/esbuild"],
    limits: BUILD_LIMITS,
    timeout_ms: BUILD_TIMEOUT_MS,
    onLog: (stream, text) => records.log("bundle", text.trimEnd(), stream),
  });
  return meter.over(session, async () => {
    const init = { kind: job.source.kind, file_name: job.source.file_name, entry: job.settings.entry };
    const { layer, size_bytes } = await makeLayer(session, init, input.openSource(), store, records);
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
  const session = await input.openBox({
    image,
    args: runnerCommand(),
    env: [...ENV, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
    limits: { memory_bytes: Math.max(memory_bytes, 128 * MiB), cpu_millis: 1_000, pids, tmp_bytes },
    timeout_ms: DETECT_TIMEOUT_MS,
    onLog: (stream, text) => records.log("detect", text.trimEnd(), stream),
  });
  const found = await meter.over(session, () => detectContract(session));
  records.done("detect", `contract ${found.contract}`);
  return found;
}

/** Adds up what the boxes of a build used. */
class Meter {
  #cpu_us: number | null = 0;
  #memory_peak_bytes: number | null = 0;
  #wall_us = 0;

  get usage(): BuildResult["usage"] {
    return { cpu_us: this.#cpu_us, memory_peak_bytes: this.#memory_peak_bytes, wall_us: this.#wall_us };
  }

  /** Uses a box, and sees to it that it ends and is counted. */
  async over<T>(session: BoxSession, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      const finishing = setTimeout(() => session.stop("its work is done"), 2_000);
      const { usage, wall_us } = await session.ended;
      clearTimeout(finishing);
      this.#add(usage, wall_us);
    }
  }

  #add(usage: CgroupUsage, wall_us: number): void {
    this.#cpu_us = this.#cpu_us === null || usage.cpu_us === null ? null : this.#cpu_us + usage.cpu_us;
    const peak = usage.memory_peak_bytes;
    this.#memory_peak_bytes =
      this.#memory_peak_bytes === null || peak === null ? null : Math.max(this.#memory_peak_bytes, peak);
    this.#wall_us += wall_us;
  }
}
