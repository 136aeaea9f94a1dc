import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DirectoryCache } from "@mayfly/build";
import { openBoxHost } from "@mayfly/container";
import { BoxJob, BuildJob, FIXED_LIMITS, ImageJob, InvokeJob, PublishJob } from "@mayfly/contract";
import { imageImporter, openImageStore } from "@mayfly/image";
import { defaultPriceTable, openSpool } from "@mayfly/ledger";
import { consume } from "@mayfly/queue";
import { pino } from "pino";
import { KeptBoxes } from "./boxes/kept-boxes.ts";
import { serveBoxes } from "./boxes/serve.ts";
import { BASE_IMAGE, build } from "./build/build.ts";
import { CacheUpkeep } from "./build/cache-upkeep.ts";
import { MountCaches } from "./build/mount-caches.ts";
import { BuildSurroundings } from "./build/surroundings.ts";
import { WaitingBox } from "./build/waiting-box.ts";
import { systemClock } from "./clock.ts";
import type { WorkerDeps } from "./deps.ts";
import { parseEnv } from "./env.ts";
import { courierOf } from "./images/courier.ts";
import { InUse } from "./images/in-use.ts";
import { Roots } from "./images/roots.ts";
import { serveImages } from "./images/serve.ts";
import { invoke } from "./invoke/invoke.ts";
import { Notes } from "./invoke/note.ts";
import { NurseryKeeper } from "./nursery/keeper.ts";
import { Shipper } from "./outbox/shipper.ts";
import { ImagePrograms } from "./program/image-program.ts";
import { publish } from "./publish.ts";
import { ReadyBoxes } from "./ready/ready-boxes.ts";
import { recover } from "./recover.ts";

/** From the first moment on: a worker that is told to stop while it starts has begun things that it must take down. */
const told = once(process, "SIGTERM");
process.on("SIGINT", () => {}); // Ctrl-C reaches the whole group; the supervisor says when

/** Composition root: environment → stores → boxes → recovery → consume. The supervisor reads one JSON line when all of it stands. */
const env = parseEnv(process.env);
/** A nursery that takes longer is used when it is there; calls boot their runtime until then. */
const NURSERY_WAIT_MS = 3_000;
/** Who edits and deploys again comes sooner. */
const BUILDER_WAITS_MS = 120_000;
const log = pino({ name: "worker", level: env.logLevel }, pino.destination({ fd: 2, sync: true }));
// Below a folder of root's: in `run`, which is the gateway's, that could be put something else in its place.
const runDir = join(env.home, "boxes");
mkdirSync(runDir, { recursive: true, mode: 0o700 });

const boxes = await openBoxHost({
  instance: env.instance,
  launcher: join(env.native, "launcher"),
  addon: join(env.native, "native.node"),
  runDir,
  network: { allowed: env.allowed },
  onDiagnostic: (line) => log.warn({ launcher: line }, "launcher"),
});
// What a killed predecessor's builds wrote.
const scratch = join(runDir, "scratch");
rmSync(scratch, { recursive: true, force: true });
const store = await openImageStore(join(env.home, "images"), { layerTree: join(env.native, "layer-tree") });
const spool = await openSpool(join(env.home, "spool"));
const shipper = new Shipper({ spool, address: env.channel, host: env.host, log });

const roots = new Roots(store);
const inUse = new InUse();
// First, before any box could be given the ids of one that is kept.
const kept = await KeptBoxes.open(env.home, { boxes, log, store, roots, inUse });
const nursery = new NurseryKeeper({ boxes, native: env.native, log });
const ready = new ReadyBoxes({ deps: () => deps, budget_bytes: env.readyBytes });
const builders = new WaitingBox({ deps: () => deps, idleMs: env.readyBytes > 0 ? BUILDER_WAITS_MS : 0 });
const buildCache = await DirectoryCache.open(join(env.home, "build-cache"));
const mountCaches = await MountCaches.open(join(env.home, "build-cache", "mounts"));
const deps: WorkerDeps = {
  host: env.host,
  clock: systemClock,
  log,
  boxes,
  store,
  scratch,
  uploads: join(env.home, "uploads"),
  courier: await courierOf(env.native, join(runDir, "registry-ca"), env.registryCa),
  registries: env.registries,
  importer: imageImporter({ blobs: store.blobs, most_bytes: FIXED_LIMITS.image_bytes }),
  roots,
  programs: new ImagePrograms(store, roots),
  surroundings: await BuildSurroundings.open(join(runDir, "build-ca"), env.buildVariables, env.buildCa),
  buildCache,
  mountCaches,
  cacheUpkeep: new CacheUpkeep({ buildCache, mountCaches, clock: systemClock }),
  inUse,
  nursery,
  ready,
  builders,
  kept,
  notes: new Notes(join(runDir, "notes")),
  spool,
  shipper,
  priceTable: defaultPriceTable(),
};

const BUILDS_AT_ONCE = 2;
const PUBLISHED_AT_ONCE = 2;
/** Most of them take no time; a few may take hours (an image of gigabytes over a slow line). */
const IMAGE_REQUESTS_AT_ONCE = 16;
/** Of kept boxes: who is attached, waits or follows a log holds one for as long. */
const BOX_REQUESTS_AT_ONCE = 256;
/** How long what is under way may take to end when we are told to stop; the supervisor waits twice as long. */
const DRAIN_MS = 10_000;

const base = env.nursery ? await store.resolve(BASE_IMAGE) : null;
if (base !== null) {
  deps.inUse.hold(base);
  await Promise.race([nursery.keep(await deps.roots.of(base)), sleep(NURSERY_WAIT_MS), told]);
}

const left = await recover(deps);
if (left.boxes > 0) log.warn(left, "settled what a predecessor left");
shipper.wake();

const onError = (error: unknown) => log.error({ err: error }, "queue");
const invocations = consume({
  redis: env.redis,
  prefix: env.prefix,
  queue: "invoke",
  concurrency: env.concurrency,
  process: (job, signal) => invoke(InvokeJob.parse(job), deps, signal),
  onError,
});
const builds = consume({
  redis: env.redis,
  prefix: env.prefix,
  queue: "build",
  concurrency: BUILDS_AT_ONCE,
  process: (job, signal) => build(BuildJob.parse(job), deps, signal),
  onError,
});
const publications = consume({
  redis: env.redis,
  prefix: env.prefix,
  queue: "publish",
  concurrency: PUBLISHED_AT_ONCE,
  process: (job) => publish(PublishJob.parse(job), deps),
  onError,
});
const imageRequests = consume({
  redis: env.redis,
  prefix: env.prefix,
  queue: "image",
  concurrency: IMAGE_REQUESTS_AT_ONCE,
  process: (job) => serveImages(ImageJob.parse(job), deps),
  onError,
});
const boxRequests = consume({
  redis: env.redis,
  prefix: env.prefix,
  queue: "box",
  concurrency: BOX_REQUESTS_AT_ONCE,
  process: (job) => serveBoxes(BoxJob.parse(job), deps),
  onError,
});

let stopping: Promise<void> | null = null;
function stop(why: string, code = 0): Promise<void> {
  stopping ??= (async () => {
    log.info({ why }, "stopping");
    await Promise.all([
      invocations.close(DRAIN_MS),
      builds.close(DRAIN_MS),
      publications.close(0),
      imageRequests.close(0),
      kept.close().then(() => boxRequests.close(0)),
    ]);
    await shipper.close();
    await spool.close();
    await Promise.all([ready.close(), builders.close()]);
    await nursery.close();
    await boxes.close();
    process.exit(code);
  })();
  return stopping;
}
// Without it no box can be made any more: what is under way is answered and billed, and the supervisor starts a worker that has one.
void boxes.failed.then(() => stop("the launcher has ended", 1));
void told.then(() => stop("SIGTERM"));
// The supervisor holds our standard input open for as long as it lives.
process.stdin.once("close", () => void stop("the supervisor is gone")).resume();
process.stdout.write(`${JSON.stringify({ ready: true, cgroup: boxes.cgroup, missing: boxes.missing })}\n`);
