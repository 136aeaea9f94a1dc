import type { Readable } from "node:stream";
import { type BuildRecord, type BuildResult, type Digest, isModule, type SourceKind } from "@mayfly/contract";
import type { ImageStore, Layer } from "@mayfly/image";
import { COMPILED_FROM_BYTES, NODE_PATH, runnerCommand } from "@mayfly/runtime";
import { type DetectInput, detectInBox } from "./detect-in-box.ts";
import type { BuildCache, RunProgram } from "./dockerfile/execute/ports.ts";
import { BOX_ENV, pairs } from "./environment.ts";
import { BuildStopped, stoppedBy } from "./fault.ts";
import { install } from "./install.ts";
import { type Made, makeLayer } from "./make-layer.ts";
import { Meter } from "./meter.ts";
import { WORK_FOLDER } from "./protocol.ts";
import { Records } from "./records.ts";
import type { BoxRequest, OpenBox } from "./session.ts";

const MiB = 1024 * 1024;
/** Bounds on the box that bundles, whoever asks for it. */
export const BUILD_LIMITS = { memory_bytes: 1024 * MiB, cpu_millis: 2_000, pids: 128, tmp_bytes: 512 * MiB } as const;
const BUILD_TIMEOUT_MS = 60_000;
/** One time for every image: the same source gives the same digest. */
const CREATED = new Date("2026-01-01T00:00:00Z");

export const BUILDER_PATH = "/mayfly/builder.mjs";
/** The command line of a builder box. */
export const builderCommand = (): string[] => [NODE_PATH, "--disable-warning=ExperimentalWarning", BUILDER_PATH];

export interface BuildCodeInput {
  readonly job: DetectInput["job"] & { readonly source: { readonly kind: SourceKind; readonly file_name: string } };
  /** Asked for twice when dependencies are installed in between. */
  readonly openSource: () => Promise<Readable>;
  readonly store: ImageStore;
  /** Manifest digests of mayfly/node and mayfly/builder. */
  readonly base: Digest;
  readonly builder: Digest;
  readonly openBox: OpenBox;
  /** Runs npm. */
  readonly run: RunProgram;
  readonly cache: BuildCache;
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
    const { layer, size_bytes, module_bytes } = await bundled(input, records, meter);
    const keepIn = module_bytes < COMPILED_FROM_BYTES ? null : input.store;
    const root = { image: input.base, rootfs: await input.store.rootfs(input.base, [layer]) };
    const detecting = detectInBox(root, input, records, meter, keepIn);
    // The image's documents go to the disk meanwhile, unless there may be another layer.
    const [found, plain] = await Promise.all([detecting, keepIn === null ? imageOf(input, [layer]) : null]);
    const { contract, exports, compiled } = found;
    const image = plain ?? (await imageOf(input, compiled ? [layer, compiled] : [layer]));
    return { outcome: { status: "done", image, contract, size_bytes, exports }, usage: await meter.total() };
  } catch (error) {
    if (!(error instanceof BuildStopped)) throw error;
    const fault = input.signal.aborted ? stoppedBy(input.signal) : error.fault;
    records.error("build", fault);
    return { outcome: { status: "error", error: fault }, usage: await meter.total() };
  }
}

async function bundled(input: BuildCodeInput, records: Records, meter: Meter): Promise<Made> {
  const { job, store, signal } = input;
  const wanted = job.settings.contract;
  if (wanted !== null && !isModule(wanted)) {
    throw new BuildStopped({
      code: "handler_not_found",
      message: `contract=${wanted} cannot be built from code`,
      hint: "leave contract out, or set it to fetch or lambda; or send a Dockerfile",
    });
  }
  let made = await bundle(input.builder, false, input, records, meter);
  if (made.install !== null) {
    const { builder, cache } = input;
    const run = meter.counting(input.run);
    const wanted = { manifests: made.layer, request: made.install, scripts: job.settings.install_scripts === "on" };
    const image = await install({ builder, run, cache, store, signal, ...wanted }, records);
    made = await bundle(image, true, input, records, meter);
  }
  return made;
}

/** Bundles in a box of an image, which is the builder's, or the same with what was installed. */
async function bundle(
  image: Digest,
  installed: boolean,
  { job, store, signal, openBox, openSource }: BuildCodeInput,
  records: Records,
  meter: Meter,
): Promise<Made> {
  records.start("box");
  const request: BoxRequest = {
    image,
    // What has dependencies is in an image of its own.
    start: installed ? "exec" : "ahead",
    args: builderCommand(),
    env: pairs({
      ...BOX_ENV,
      MAYFLY_WORK: installed ? WORK_FOLDER : "/tmp",
      ESBUILD_BINARY_PATH: "/usr/local/bin/esbuild",
    }),
    limits: BUILD_LIMITS,
    timeout_ms: BUILD_TIMEOUT_MS,
    onLog: (stream, text) => records.log("bundle", text, stream),
  };
  const session = await openBox(request);
  return meter.over(session, request.limits.memory_bytes, signal, async () => {
    const { entry, dir } = job.settings;
    const init = { kind: job.source.kind, file_name: job.source.file_name, entry, dir, installed };
    return makeLayer(session, request, { init, bytes: await openSource() }, store, records);
  });
}

/** The same layers give the same image. */
const imageOf = ({ store, base }: BuildCodeInput, layers: Layer[]): Promise<Digest> =>
  store.createImage({
    base,
    layers,
    config: { User: "fn", WorkingDir: "/app", Cmd: runnerCommand() },
    history: ["mayfly: code", "mayfly: compiled code"].slice(0, layers.length),
    created: CREATED,
  });
