import { type BuildImageInput, buildCode, buildDockerfileSource, buildImage } from "@mayfly/build";
import { NetworkError } from "@mayfly/container";
import { type BuildJob, type BuildRecord, type BuildResult, FRAME } from "@mayfly/contract";
import { connectChannel, type FrameChannel } from "@mayfly/queue";
import { timestamp } from "../clock.ts";
import type { WorkerDeps } from "../deps.ts";
import { baseImage } from "./base-image.ts";
import { channelSource } from "./channel-source.ts";
import { isContext, reading } from "./dockerfile.ts";
import { boxLender } from "./open-box.ts";
import { openSource } from "./open-source.ts";
import { programRunner } from "./run-program.ts";
import { serverTrier } from "./try-server.ts";

/** As many records of a build's log as are kept with its result. */
const LOG_TAIL = 200;

/** A gateway that was told of a result has entered it by then. */
const ENTERED_WITHIN_MS = 60_000;

/** Tags of the images every build needs; the bootstrap makes them. */
export const BASE_IMAGE = "mayfly/node:24";
export const BUILDER_IMAGE = "mayfly/builder:latest";

/**
 * One build, whole: run it in boxes, show its log while it runs, leave the result in the outbox. Builds run at least once: the same
 * source gives the same image, and the catalog enters a build's result once.
 */
export async function build(job: BuildJob, deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  const made = deps.inUse.making();
  try {
    await buildOnce(job, deps, signal);
  } finally {
    made();
  }
}

async function buildOnce(job: BuildJob, deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  const began = deps.clock.monotonicUs();
  const live = await openLog(job, deps);
  if (live === "unwanted") return;
  const log: BuildRecord[] = [];
  const onRecord = (record: BuildRecord) => {
    log.push(record);
    if (log.length > LOG_TAIL) log.shift();
    live?.sendJson(FRAME.RECORD, record).catch(() => {
      // Nobody follows the log any more; the tail travels with the result.
    });
  };
  const built = await run(job, deps, signal, onRecord);
  const result: BuildResult = {
    build: job.build,
    function: job.function,
    ended_at: timestamp(deps.clock.epochUs()),
    duration_us: deps.clock.monotonicUs() - began,
    log_tail: log,
    usage: built.usage,
    outcome: built.outcome,
  };
  await deps.spool.put({ kind: "build", result });
  // Garbage collection finds the image in the spool until the gateway has taken the result, and in the catalog once it has entered it.
  if (built.outcome.status === "done") setTimeout(deps.inUse.hold(built.outcome.image), ENTERED_WITHIN_MS).unref();
  deps.shipper.wake();
  live?.close();
}

async function openLog(job: BuildJob, deps: WorkerDeps): Promise<FrameChannel | null | "unwanted"> {
  try {
    const { channel, go } = await connectChannel(job.channel, { kind: "build", build: job.build, host: deps.host });
    if (go.go) return channel;
    channel.close();
    return "unwanted";
  } catch {
    return null; // The gateway is away: build all the same, the outbox will find it when it is back.
  }
}

async function run(
  job: BuildJob,
  deps: WorkerDeps,
  signal: AbortSignal,
  onRecord: (record: BuildRecord) => void,
): Promise<Pick<BuildResult, "outcome" | "usage">> {
  try {
    if (job.settings.network === "egress") await deps.boxes.openNetwork();
    const { source } = job;
    const shared = {
      store: deps.store,
      base: await image(BASE_IMAGE, deps),
      tryServer: serverTrier(deps),
      openBox: boxLender(job.build, deps, signal),
      onRecord,
      now: () => new Date(deps.clock.epochUs() / 1000),
      signal,
    };
    if (source.kind === "image") {
      const from = channelSource(job, deps);
      const fetch: BuildImageInput["fetch"] = async (onProgress) =>
        (await deps.importer.fetch(from, source.digest, { signal, onProgress })).image;
      return await buildImage({ ...shared, job, fetch });
    }
    const { kind } = source;
    const runProgram = programRunner(job.build, deps.scratch, deps);
    const cache = deps.buildCache;
    const upload = () => openSource(deps.uploads, { build: job.build, source });
    if (kind === "dockerfile" || (await isContext(kind, job.settings, upload))) {
      const { store, importer } = deps;
      const resolveImage = (reference: string, platform: string | null) =>
        baseImage(reference, platform, { store, importer, signal });
      const dockerfile = { kind: kind === "dockerfile" ? "alone" : "context", open: () => reading(upload) } as const;
      return await buildDockerfileSource({
        ...shared,
        job,
        source: dockerfile,
        resolveImage,
        run: runProgram,
        cache,
      });
    }
    const builder = await image(BUILDER_IMAGE, deps);
    const code = { ...job, source: { ...source, kind } };
    return await buildCode({ ...shared, job: code, openSource: upload, builder, run: runProgram, cache });
  } catch (error) {
    if (error instanceof NetworkError) return withoutNetwork(error, deps);
    deps.log.error({ err: error, build: job.build }, "a build failed inside of mayfly");
    const message = error instanceof Error ? error.message : String(error);
    return { usage: null, outcome: { status: "error", error: { code: "internal", message } } };
  }
}

/** The machine lacks what network=egress takes: a deploy says so, and not its first call. */
function withoutNetwork(error: NetworkError, deps: WorkerDeps): Pick<BuildResult, "outcome" | "usage"> {
  const message = `network=egress is not possible on the host ${deps.host}: ${error.found}`;
  const hint = `${error.remedy ?? "see the message"}; or deploy with network=none`;
  return { usage: null, outcome: { status: "error", error: { code: "build_failed", message, hint } } };
}

async function image(tag: string, deps: WorkerDeps) {
  const digest = await deps.store.resolve(tag);
  if (!digest) throw new Error(`the image ${tag} is not in the store; npm start makes it`);
  return digest;
}
