import { z } from "zod";
import { BuildOptions, NO_BUILD_OPTIONS } from "./build-options.ts";
import { Charges } from "./charges.ts";
import { BoxRequestId, BuildId, Digest, FunctionName, ImageRequestId, InvocationId, PublishId } from "./id.ts";
import { COMPILED_LIMITS } from "./limits.ts";
import { CONTRACTS, PINNED_CONTRACTS, SettingsSchema } from "./settings.ts";

/** Everything that our processes say to each other, as data: job payloads, first frames of a channel, heads. */

/** Header names are lower case; order and repetition are kept. */
export const Headers = z.array(z.tuple([z.string(), z.string()])).readonly();
export type Headers = z.infer<typeof Headers>;

export const RequestHead = z.object({
  method: z.string(),
  /** Path and query as the function sees them, starting with `/`. */
  target: z.string(),
  headers: Headers,
  /** Origin to build the Request's URL from, e.g. `http://127.0.0.1:8080`. */
  origin: z.string(),
});
export type RequestHead = z.infer<typeof RequestHead>;

export const ResponseHead = z.object({
  status: z.int().min(200).max(599),
  headers: Headers,
});
export type ResponseHead = z.infer<typeof ResponseHead>;

/** One version as the worker needs it. Immutable. */
export const VersionSpec = z.object({
  function: FunctionName,
  version: z.int().positive(),
  /** Manifest digest of the version's image. */
  image: Digest,
  contract: z.enum(PINNED_CONTRACTS),
  settings: SettingsSchema,
});
export type VersionSpec = z.infer<typeof VersionSpec>;

/** BullMQ job of queue `invoke`. The body is never in it. */
export const InvokeJob = z.object({
  invocation: InvocationId,
  attempt: z.int().positive(),
  trigger: z.enum(["http", "async", "cron"]),
  version: VersionSpec,
  head: RequestHead,
  /** Unix epoch, microseconds. */
  received_at_us: z.int(),
  /** Unix epoch, milliseconds: admission + timeout. */
  deadline_ms: z.int(),
  /** Where the gateway that holds the client listens for the data channel: a socket path, or host:port. */
  channel: z.string(),
});
export type InvokeJob = z.infer<typeof InvokeJob>;

export const SOURCE_KINDS = ["module", "tar", "tar.gz", "zip"] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];
/**
 * `dockerfile`: a Dockerfile alone, without a context. An archive may hold one too; that is seen when it is built. `reference`: JSON that
 * says where the source is (`SourceReference`).
 */
export const UPLOAD_KINDS = [...SOURCE_KINDS, "dockerfile", "reference"] as const;
export type UploadKind = (typeof UPLOAD_KINDS)[number];

/** A source that was uploaded. It lies in the home's `uploads`, under the build's id: a job names no path that root would open. */
export const CodeSource = z.object({
  kind: z.enum(UPLOAD_KINDS),
  /** Name of the module for `kind: module`: the extension decides the loader (`index.ts`). */
  file_name: z.string(),
  digest: Digest,
  size_bytes: z.int().nonnegative(),
});
export type CodeSource = z.infer<typeof CodeSource>;

/** An image: its manifest or index, as the tag stood when it was deployed. */
export const ImageSourceRef = z.object({
  kind: z.literal("image"),
  digest: Digest,
  /** Where it is: `registry.example/team/app`; null: in the gateway's registry. */
  repository: z.string().nullable().default(null),
});
export type ImageSourceRef = z.infer<typeof ImageSourceRef>;

/** BullMQ job of queue `build`. */
export const BuildJob = z.object({
  build: BuildId,
  /** Whose version it makes; null: it makes an image and no version. */
  function: FunctionName.nullable(),
  options: BuildOptions.default(NO_BUILD_OPTIONS),
  source: z.discriminatedUnion("kind", [CodeSource, ImageSourceRef]),
  settings: SettingsSchema,
  channel: z.string(),
});
export type BuildJob = z.infer<typeof BuildJob>;

/** BullMQ job of queue `publish`: somebody wants to pull an image that only the worker's store has. */
export const PublishJob = z.object({
  publish: PublishId,
  /** A tag below `mayfly/`, or a manifest of that store. */
  image: z.union([Digest, z.string().regex(/^mayfly\/[a-z0-9/._-]+:[A-Za-z0-9_.-]+$/)]),
  channel: z.string(),
});
export type PublishJob = z.infer<typeof PublishJob>;

/** Worker → gateway, after GO of a `publish`: the manifest that the job's image is; null: there is none. */
export const PublishOffer = z.object({ image: Digest.nullable() });
export type PublishOffer = z.infer<typeof PublishOffer>;

/** Gateway → worker, after its offer: one of the image's blobs, from a byte on. DATA frames answer it, then END; or ERROR. */
export const BlobRequest = z.object({ digest: Digest, from: z.int().nonnegative() });
export type BlobRequest = z.infer<typeof BlobRequest>;

/** First frame on a data channel, worker → gateway. */
export const Hello = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("invocation"), invocation: InvocationId, attempt: z.int(), host: z.string() }),
  z.object({ kind: z.literal("build"), build: BuildId, host: z.string() }),
  z.object({ kind: z.literal("outbox"), host: z.string() }),
  z.object({ kind: z.literal("publish"), publish: PublishId, host: z.string() }),
  z.object({ kind: z.literal("image"), request: ImageRequestId, host: z.string() }),
  z.object({ kind: z.literal("box"), request: BoxRequestId, host: z.string() }),
  /** For a blob of the gateway's registry, from a byte on: DATA frames, and END when that was all of it. */
  z.object({ kind: z.literal("blob"), digest: Digest, from: z.int().nonnegative(), host: z.string() }),
]);
export type Hello = z.infer<typeof Hello>;

export const Go = z.object({ go: z.boolean(), reason: z.string().optional() });
export type Go = z.infer<typeof Go>;

/** A line of a build's log; the last one has `step: "result"`. Modelled on moby's jsonstream. */
export const BuildRecord = z.object({
  ts: z.string(),
  seq: z.int(),
  step: z.string(),
  status: z.enum(["start", "progress", "done", "error", "log"]),
  msg: z.string().optional(),
  stream: z.enum(["stdout", "stderr"]).optional(),
  elapsed_ms: z.int().optional(),
  error: z.looseObject({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
  function: z.string().optional(),
  version: z.int().optional(),
  url: z.string().optional(),
});
export type BuildRecord = z.infer<typeof BuildRecord>;

/** Where a source file does not compile. */
export const SourceLocation = z.object({
  file: z.string(),
  line: z.int(),
  column: z.int(),
  message: z.string(),
  excerpt: z.string(),
});
export type SourceLocation = z.infer<typeof SourceLocation>;

export const BuildFault = z.object({
  code: z.enum(["build_failed", "handler_not_found", "unsupported_source", "body_too_large", "internal"]),
  message: z.string(),
  hint: z.string().optional(),
  locations: z.array(SourceLocation).optional(),
  exports: z.array(z.string()).optional(),
});
export type BuildFault = z.infer<typeof BuildFault>;

const counted = z.int().nullable();
/** What the boxes of a build used together; of their memory the highest peak. Null: not counted on this host. */
export const BuildUsage = z.object({
  cpu_us: counted,
  memory_peak_bytes: counted,
  /** The most memory that one of them could have had. */
  memory_limit_bytes: z.int().default(0),
  wall_us: z.int(),
  /** Written by programs of Dockerfiles, to their layers and to what they bound. */
  disk_bytes: z.int().default(0),
  net_rx_bytes: counted.default(0),
  net_tx_bytes: counted.default(0),
});
export type BuildUsage = z.infer<typeof BuildUsage>;

/** What a build came to. Travels in the outbox, so that it arrives whatever dies. */
export const BuildResult = z.object({
  build: BuildId,
  function: FunctionName.nullable(),
  ended_at: z.string(),
  duration_us: z.int(),
  log_tail: z.array(BuildRecord),
  usage: BuildUsage.nullable(),
  /** Null for what nothing ran for. */
  bill: Charges.nullable().default(null),
  outcome: z.discriminatedUnion("status", [
    z.object({
      status: z.literal("done"),
      image: Digest,
      contract: z.enum(PINNED_CONTRACTS),
      size_bytes: z.int(),
      exports: z.array(z.string()),
    }),
    /** Of a build that is of no function. */
    z.object({ status: z.literal("image"), image: Digest, size_bytes: z.int(), tags: z.array(z.string()).readonly() }),
    z.object({ status: z.literal("error"), error: BuildFault }),
  ]),
});
export type BuildResult = z.infer<typeof BuildResult>;

/** Worker → box, first frame: what to load. Environment and limits are already in the process's environment. */
export const BoxInit = z.object({
  /** Absolute path of the bundle in the box. */
  module: z.string(),
  /** `null`: whichever it has. */
  contract: z.enum(CONTRACTS).nullable(),
  /** `serve` one request; `detect` the contract and answer with READY alone; `self_test`: load nothing, answer with a RECORD. */
  mode: z.enum(["serve", "detect", "self_test"]),
  /** In mode `detect`: after READY comes V8's code of the module: HEAD (CompiledFiles), DATA… of all files, END. */
  compile: z.boolean().default(false),
});
export type BoxInit = z.infer<typeof BoxInit>;

/** Worker → box: the request, and which call it is. */
export const BoxHead = RequestHead.extend({
  invocation: z.string(),
  /** Unix epoch, milliseconds. */
  deadline_ms: z.int(),
});
export type BoxHead = z.infer<typeof BoxHead>;

/** Box → worker, RECORD in mode `self_test`: what a fork drew, and what it sees of itself. */
export const SelfTest = z.object({
  /** By source: no two forks may draw the same. */
  drawn: z.record(z.string(), z.string()),
  pid: z.int(),
  uptime_s: z.number(),
  cwd: z.string(),
  env: z.array(z.string()),
  timers: z.int(),
  listeners: z.array(z.string()),
});
export type SelfTest = z.infer<typeof SelfTest>;

/** Box → worker: user code is loaded. In mode `detect` this is the answer. */
export const BoxReady = z.object({
  exports: z.array(z.string()),
  contract: z.enum(CONTRACTS).nullable(),
});
export type BoxReady = z.infer<typeof BoxReady>;

/** Box → worker, HEAD in mode `detect`: files of V8's compile cache, `{version and flags}/{module}`. */
export const CompiledFiles = z.object({
  files: z
    .array(
      z.object({
        path: z.string().regex(/^[\w.-]{1,100}\/[0-9a-f]{1,16}$/),
        size_bytes: z.int().nonnegative().max(COMPILED_LIMITS.bytes),
      }),
    )
    .max(COMPILED_LIMITS.files)
    .refine((files) => files.reduce((sum, file) => sum + file.size_bytes, 0) <= COMPILED_LIMITS.bytes),
});
export type CompiledFiles = z.infer<typeof CompiledFiles>;

/** ERROR frame, box → worker → gateway. */
export const ErrorFrame = z.object({
  code: z.string(),
  message: z.string(),
  /** Stack with the user's files and lines; for the invocation's record, never for an anonymous caller. */
  stack: z.string().optional(),
});
export type ErrorFrame = z.infer<typeof ErrorFrame>;
