import {
  type BuildDockerfileInput,
  type BuildImageInput,
  BuildStopped,
  buildCode,
  buildDockerfileSource,
  buildImage,
} from "@mayfly/build";
import { NetworkError } from "@mayfly/container";
import {
  BUILD_TIMEOUT_MS,
  type BuildFault,
  type BuildJob,
  type BuildRecord,
  type BuildResult,
  type BuildUsage,
  type FunctionName,
} from "@mayfly/contract";
import { formatPlatform, HOST_PLATFORM, isFor, parsePlatform } from "@mayfly/image";
import { charge } from "@mayfly/ledger";
import { timestamp } from "../clock.ts";
import type { WorkerDeps } from "../deps.ts";
import { movable } from "../images/names.ts";
import { channelSource } from "./channel-source.ts";
import { isContext, reading } from "./dockerfile.ts";
import { hereOrPulled } from "./here-or-pulled.ts";
import { LiveBuild, type Secrets } from "./live.ts";
import { boxLender } from "./open-box.ts";
import { programRunner } from "./run-program.ts";
import { type BuildSource, sourceOf, together } from "./source.ts";
import { serverTrier } from "./try-server.ts";

type Built = Pick<BuildResult, "outcome" | "usage">;

/** As many records of a build's log as are kept with its result. */
const LOG_TAIL = 200;

const TOO_LONG = new BuildStopped({
  code: "build_failed",
  message: `the build took longer than ${BUILD_TIMEOUT_MS / 60_000} minutes`,
});

/** What code that is of no function yet is told that it is. */
const NAMELESS = "build" as FunctionName;

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
  await deps.cacheUpkeep.look();
}

async function buildOnce(job: BuildJob, deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  const began = deps.clock.monotonicUs();
  const live = await LiveBuild.open(job, deps);
  if (live === null) return;
  const log: BuildRecord[] = [];
  let seq = 0;
  const onRecord = (said: BuildRecord) => {
    // Fetching and building each count from one.
    seq += 1;
    const record = { ...said, seq };
    log.push(record);
    if (log.length > LOG_TAIL) log.shift();
    live.tell(record);
  };
  const late = new AbortController();
  const deadline = setTimeout(() => late.abort(TOO_LONG), BUILD_TIMEOUT_MS);
  const stop = AbortSignal.any([signal, live.canceled, late.signal]);
  const built = await tagged(job, await run(job, deps, live, stop, onRecord), deps);
  clearTimeout(deadline);
  expectCall(built.outcome, deps);
  const result: BuildResult = {
    build: job.build,
    function: job.function,
    ended_at: timestamp(deps.clock.epochUs()),
    duration_us: deps.clock.monotonicUs() - began,
    log_tail: log,
    usage: built.usage,
    bill: built.usage && billOf(built.usage, built.outcome, deps),
    outcome: built.outcome,
  };
  await deps.spool.put({ kind: "build", result });
  // Garbage collection finds the image in the spool until the gateway has taken the result, and in the catalog once it has entered it.
  if (built.outcome.status !== "error") setTimeout(deps.inUse.hold(built.outcome.image), ENTERED_WITHIN_MS).unref();
  deps.shipper.wake();
  live.close();
}

/** Who deploys calls: what the first call needs to know of the image is read while the result is on its way. */
function expectCall(outcome: BuildResult["outcome"], { roots, programs, log }: WorkerDeps): void {
  if (outcome.status !== "done") return;
  const { image } = outcome;
  Promise.all([roots.of(image), programs.of(image)]).catch((error: unknown) =>
    log.warn({ err: error, image }, "an image that was just made could not be read"),
  );
}

/** A build that fails through a fault of ours is credited as a call is. */
function billOf(usage: BuildUsage, outcome: BuildResult["outcome"], { priceTable }: Pick<WorkerDeps, "priceTable">) {
  const isOurs = outcome.status === "error" && outcome.error.code === "internal";
  const limits = { memory_bytes: usage.memory_limit_bytes };
  return charge({ usage, limits, status: isOurs ? "platform_error" : "succeeded", calls: 0 }, priceTable);
}

/** Names the image as was asked for; what a build of no function made is an image and nothing more. */
async function tagged(job: BuildJob, built: Built, { store }: Pick<WorkerDeps, "store">): Promise<Built> {
  const { outcome } = built;
  if (outcome.status === "error") return built;
  const tags = job.options.tags.map(movable);
  for (const tag of tags) await store.tag(tag, outcome.image);
  if (job.function !== null) return built;
  const { image, size_bytes } = outcome;
  return { ...built, outcome: { status: "image", image, size_bytes, tags } };
}

/** What is known to fail at the end, or to miss what it needs, is not begun. */
function refusal({ options }: BuildJob, secrets: Secrets): BuildFault | null {
  try {
    options.tags.forEach(movable);
  } catch (error) {
    return { code: "build_failed", message: (error as Error).message };
  }
  const { platform } = options;
  if (platform !== null && !isFor(HOST_PLATFORM, parsePlatform(platform))) {
    const message = `an image for ${platform} cannot be built here: programs of a build run on this machine, which is ${formatPlatform(HOST_PLATFORM)}`;
    return { code: "build_failed", message, hint: "build it on a machine of that kind" };
  }
  const missing = options.secrets.filter((id) => !secrets.has(id));
  if (missing.length === 0) return null;
  const message = `the gateway has the build's secrets no more: ${missing.join(", ")}`;
  return { code: "internal", message, hint: "they are kept in memory alone; send the build again" };
}

async function run(
  job: BuildJob,
  deps: WorkerDeps,
  live: LiveBuild,
  signal: AbortSignal,
  onRecord: (record: BuildRecord) => void,
): Promise<Built> {
  try {
    const refused = refusal(job, live.secrets);
    if (refused) return { usage: null, outcome: { status: "error", error: refused } };
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
      const { repository, digest } = source;
      const fetch: BuildImageInput["fetch"] = async (onProgress) => {
        if (repository !== null)
          return hereOrPulled(
            { reference: `${repository}@${digest}`, platform: null, anew: false },
            { ...deps, signal, onProgress },
          );
        return (await deps.importer.fetch(channelSource(job, deps), digest, { signal, onProgress })).image;
      };
      return await buildImage({ ...shared, job, fetch });
    }
    const builder = await image(BUILDER_IMAGE, deps);
    const code = { ...job, source };
    const found = await sourceOf(code, deps, { ...shared, image: builder, scratch: deps.scratch });
    try {
      const parts = {
        ...shared,
        builder,
        run: programRunner(job.build, deps.scratch, deps),
        cache: deps.buildCache,
        secrets: live.secrets,
      };
      const built = await buildFound({ ...job, settings: found.settings }, found, parts, deps);
      return { ...built, usage: together(found.usage, built.usage) };
    } finally {
      await found.release();
    }
  } catch (error) {
    if (error instanceof NetworkError) return withoutNetwork(error, deps);
    if (error instanceof BuildStopped) return { usage: null, outcome: { status: "error", error: error.fault } };
    deps.log.error({ err: error, build: job.build }, "a build failed inside of mayfly");
    const message = error instanceof Error ? error.message : String(error);
    return { usage: null, outcome: { status: "error", error: { code: "internal", message } } };
  }
}

type Parts = Omit<BuildDockerfileInput, "job" | "source" | "resolveImage" | "scratch">;

/** A Dockerfile, alone or in its context, or code. */
async function buildFound(job: BuildJob, source: BuildSource, parts: Parts, deps: WorkerDeps): Promise<Built> {
  const { kind, file_name, open } = source;
  if (kind === "dockerfile" || (await isContext(kind, job.settings, open))) {
    const { signal } = parts;
    const resolveImage: BuildDockerfileInput["resolveImage"] = (reference, platform, onProgress) =>
      hereOrPulled({ reference, platform, anew: job.options.pull }, { ...deps, signal, onProgress });
    const dockerfile = { kind: kind === "dockerfile" ? "alone" : "context", open: () => reading(open) } as const;
    return buildDockerfileSource({ ...parts, job, source: dockerfile, resolveImage, scratch: deps.scratch });
  }
  const code = { ...job, function: job.function ?? NAMELESS, source: { kind, file_name } };
  return buildCode({ ...parts, job: code, openSource: open });
}

/** The machine lacks what network=egress takes: a deploy says so, and not its first call. */
function withoutNetwork(error: NetworkError, deps: WorkerDeps): Built {
  const message = `network=egress is not possible on the host ${deps.host}: ${error.found}`;
  const hint = `${error.remedy ?? "see the message"}; or deploy with network=none`;
  return { usage: null, outcome: { status: "error", error: { code: "build_failed", message, hint } } };
}

async function image(tag: string, deps: WorkerDeps) {
  const digest = await deps.store.resolve(tag);
  if (!digest) throw new Error(`the image ${tag} is not in the store; npm start makes it`);
  return digest;
}
