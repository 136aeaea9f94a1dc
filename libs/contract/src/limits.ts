const MiB = 1024 * 1024;

/** Every limit of a function with what it may be, for validation and for `GET /v1/limits`. */
export const LIMIT_BOUNDS = {
  memory_bytes: { min: 16 * MiB, max: 16 * 1024 * MiB, default: 128 * MiB },
  cpu_millis: { min: 50, max: 64_000, default: 1000 },
  cpu_weight: { min: 1, max: 10_000, default: 100 },
  timeout_ms: { min: 100, max: 900_000, default: 30_000 },
  tmp_bytes: { min: 1 * MiB, max: 4096 * MiB, default: 64 * MiB },
  pids: { min: 8, max: 4096, default: 64 },
  concurrency: { min: 1, max: 1000, default: 100 },
} as const;

/** Limits that hold for every function and that nobody sets per function. */
export const FIXED_LIMITS = {
  /** One deploy's upload, as sent. */
  source_bytes: 64 * MiB,
  /** The same of a build of an image: a context holds what the image is to have. */
  context_bytes: 2048 * MiB,
  /** An invocation's log; what is written beyond it is counted and dropped, and the log says so. */
  log_bytes: 1 * MiB,
  /** Request and response bodies stream; these bound them all the same. */
  request_bytes: 16 * 1024 * MiB,
  /** Of an image with the contract `lambda`: an event holds the whole body. */
  event_bytes: 6 * MiB,
  response_bytes: 16 * 1024 * MiB,
  open_files: 1024,
  /** Of the registry: a manifest, and one blob as stored. An image is its blobs together. */
  manifest_bytes: 4 * MiB,
  blob_bytes: 16 * 1024 * MiB,
  image_bytes: 32 * 1024 * MiB,
  /** An upload to the registry to which nothing was added for so long is forgotten. */
  upload_idle_ms: 24 * 3_600_000,
  /** Environment of a function, and build arguments: names and values together. */
  env_bytes: 64 * 1024,
  /** A build's secrets together. */
  secrets_bytes: 512 * 1024,
} as const;

/** Bounds on what builds do, whoever asks for them. */
export const RUN_LIMITS = {
  /** Of one RUN. */
  memory_bytes: 2048 * MiB,
  cpu_millis: 2_000,
  pids: 1024,
  /** What it may have in /dev/shm, in secrets and in a tmpfs without a size. */
  tmp_bytes: 256 * MiB,
  /** What it may write, to its layer with what it bound, and to each of its caches. */
  disk_bytes: 10 * 1024 * MiB,
  timeout_ms: 30 * 60_000,
} as const;

/** V8's code that is kept with an image: a bundle is one module, packages that lie beside it are as many as they have. */
export const COMPILED_LIMITS = { files: 1_000, bytes: 64 * MiB } as const;

/** Bounds on a whole build. Its log is bounded as an invocation's. */
export const BUILD_TIMEOUT_MS = 60 * 60_000;

/** What builds remember of steps, and what their programs keep in caches: each of the two within these. */
export const BUILD_CACHE_LIMITS = {
  unused_ms: 30 * 24 * 3_600_000,
  most_bytes: 20 * 1024 * MiB,
  every_ms: 3_600_000,
} as const;

export interface Limits {
  readonly memory_bytes: number;
  readonly cpu_millis: number;
  readonly cpu_weight: number;
  readonly timeout_ms: number;
  readonly tmp_bytes: number;
  readonly pids: number;
  readonly concurrency: number;
}
