import { text } from "node:stream/consumers";
import type { BuildFault, BuildRecord, Digest } from "@mayfly/contract";
import { decompressed, entriesOfTar, ImageError, type OnProgress } from "@mayfly/image";
import { BlobLog } from "./blob-log.ts";
import type { BuiltCode } from "./build-code.ts";
import { buildDockerfile } from "./dockerfile/execute/build.ts";
import { type BuildContext, openContext } from "./dockerfile/execute/context.ts";
import { DockerfileBuildError } from "./dockerfile/execute/failure.ts";
import type { BuildCache, BuildEvent, RunProgram } from "./dockerfile/execute/ports.ts";
import type { FileTree } from "./dockerfile/files/file-tree.ts";
import { DockerfileError } from "./dockerfile/source/failure.ts";
import { BuildStopped, stoppedBy } from "./fault.ts";
import { dockerfileFetch } from "./fetch/for-dockerfile.ts";
import { outcomeOf, theirs, type VersionInput } from "./image-version.ts";
import { Meter } from "./meter.ts";
import { Records } from "./records.ts";

/** Of what one ADD fetches. */
const LARGEST_ADDED_BYTES = 4 * 1024 ** 3;
/** Where the Dockerfile of an archive lies. */
const DOCKERFILE = "Dockerfile";
const PULL = "pull";

export interface BuildDockerfileInput extends VersionInput {
  /** `alone`: the bytes are a Dockerfile; `context`: a tar, packed or not, with one at its root. */
  readonly source: { readonly kind: "alone" | "context"; readonly open: () => AsyncIterable<Uint8Array> };
  /** Finds an image by the name that the Dockerfile has for it, here or where it tells of blobs that come. */
  readonly resolveImage: (reference: string, platform: string | null, onProgress: OnProgress) => Promise<Digest>;
  readonly run: RunProgram;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  /** Manifest digest of mayfly/builder, in whose boxes is fetched what ADD names; and a folder for what comes. */
  readonly builder: Digest;
  readonly scratch: string;
  readonly cache: BuildCache;
  readonly onRecord: (record: BuildRecord) => void;
  readonly now: () => Date;
}

/** Whether a tar, packed or not, has a Dockerfile at its root or in a folder; of what cannot be read nothing is said. */
export async function tarHoldsDockerfile(
  tar: AsyncIterable<Uint8Array>,
  folder: string | null = null,
): Promise<boolean> {
  const wanted = folder === null ? DOCKERFILE : `${folder}/${DOCKERFILE}`;
  try {
    for await (const { path, type } of entriesOfTar((await decompressed(tar)).bytes)) {
      if (path === wanted && type === "file") return true;
    }
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  }
  return false;
}

/**
 * A Dockerfile → an image, and what a version needs to know of it. Whatever is wrong with it is an outcome, not a throw.
 * @throws when the source cannot be read, the store fails or no box can be had
 */
export async function buildDockerfileSource(input: BuildDockerfileInput): Promise<BuiltCode> {
  const records = new Records(input.onRecord, input.now);
  const meter = new Meter();
  try {
    const digest = await built(input, records, meter);
    return { outcome: await outcomeOf(digest, input, records, meter), usage: await meter.total() };
  } catch (error) {
    const fault = input.signal.aborted ? stoppedBy(input.signal) : faultOf(error, nameOf(input));
    if (fault === null) throw error;
    records.error("build", fault);
    return { outcome: { status: "error", error: fault }, usage: await meter.total() };
  }
}

async function built(input: BuildDockerfileInput, records: Records, meter: Meter): Promise<Digest> {
  const { store, cache, run, secrets, resolveImage, signal, now } = input;
  const { function: name, options, settings } = input.job;
  const { target, build_arg, label } = settings;
  const buildArgs = new Map(Object.entries(build_arg));
  const { builder, scratch, openBox } = input;
  const fetching = { image: builder, openBox, scratch, meter, mostBytes: LARGEST_ADDED_BYTES };
  records.start("context");
  const { dockerfile, ignore, tree, close } = await theirs(() => opened(input));
  records.done("context");
  const building = theirs(() =>
    buildDockerfile({
      dockerfile,
      // A function's labels are its own.
      options: {
        target: target ?? "",
        buildArgs,
        ignore,
        labels: name === null ? label : {},
        network: options.run_network,
        hosts: options.hosts,
      },
      context: tree,
      store,
      resolveImage: (reference, platform) =>
        pulling(reference, records, (onProgress) => resolveImage(reference, platform, onProgress)),
      run: meter.counting(run),
      fetch: dockerfileFetch(fetching),
      secrets,
      cache,
      noCache: options.no_cache,
      now: now(),
      epoch: createdAt(buildArgs),
      onEvent: (event) => record(event, records),
      signal,
    }),
  );
  return building.finally(close);
}

/** An image that is not here is a step of its own from the first word of its registry on. */
async function pulling(
  reference: string,
  records: Records,
  resolve: (onProgress: OnProgress) => Promise<Digest>,
): Promise<Digest> {
  let log: BlobLog | null = null;
  const digest = await resolve((progress) => {
    if (log === null) records.start(PULL, reference);
    log ??= new BlobLog(PULL, records);
    log.take(progress);
  });
  (log as BlobLog | null)?.done();
  return digest;
}

/** By SOURCE_DATE_EPOCH, when it is among the build arguments: seconds since 1970. @throws BuildStopped */
function createdAt(buildArgs: ReadonlyMap<string, string>): Date | null {
  const epoch = buildArgs.get("SOURCE_DATE_EPOCH");
  if (epoch === undefined || epoch === "") return null;
  if (/^\d{1,11}$/.test(epoch)) return new Date(Number(epoch) * 1000);
  const message = `build-arg.SOURCE_DATE_EPOCH=${epoch} is no number of seconds since 1970`;
  throw new BuildStopped({ code: "build_failed", message });
}

async function opened(
  input: BuildDockerfileInput,
): Promise<Omit<BuildContext, "tree"> & { readonly tree: FileTree | null }> {
  const { source, store, scratch } = input;
  const folder = input.job.settings.dir ?? "";
  if (source.kind === "context") return openContext(source.open(), { path: nameOf(input), folder, store, scratch });
  return { dockerfile: await text(source.open()), ignore: null, tree: null, close: async () => {} };
}

function record(event: BuildEvent, records: Records): void {
  switch (event.event) {
    case "warning": {
      const { rule, message, range } = event.warning;
      records.log("warning", `${rule}: ${message} (line ${range.start.line})`);
      break;
    }
    case "unused_args":
      records.log("warning", `build arguments that no ARG asks for: ${event.names.join(", ")}`);
      break;
    case "started":
      records.start(`#${event.step}`, event.title);
      break;
    case "output":
      records.log(`#${event.step}`, event.text, event.stream);
      break;
    case "cached":
      records.done(`#${event.step}`, "CACHED");
      break;
    case "done":
      records.done(`#${event.step}`);
      break;
    case "failed":
      records.log(`#${event.step}`, `ERROR ${event.message}`);
  }
}

const nameOf = ({ source, job }: BuildDockerfileInput): string =>
  source.kind === "alone" ? DOCKERFILE : (job.settings.dockerfile ?? DOCKERFILE);

/** Null: it is not the Dockerfile's fault. */
function faultOf(error: unknown, file: string): BuildFault | null {
  if (error instanceof BuildStopped) return error.fault;
  if (error instanceof DockerfileError) return { code: "build_failed", message: error.message };
  if (!(error instanceof DockerfileBuildError)) return null;
  const { message, range, excerpt } = error;
  if (range === null) return { code: "build_failed", message };
  const { line, column } = range.start;
  return { code: "build_failed", message, locations: [{ file, line, column, message, excerpt }] };
}
