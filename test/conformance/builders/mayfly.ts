import { randomUUID } from "node:crypto";
import { createReadStream, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BuildStopped } from "@mayfly/build";
import { type BoxHost, openBoxHost } from "@mayfly/container";
import type { Digest } from "@mayfly/contract";
import { ImageError, type ImageStore, openImageStore } from "@mayfly/image";
import { CliError } from "../../../apps/cli/src/failure.ts";
import { MountCaches } from "../../../apps/worker/src/build/mount-caches.ts";
import { programRunner } from "../../../apps/worker/src/build/run-program.ts";
import { BuildSurroundings } from "../../../apps/worker/src/build/surroundings.ts";
import { systemClock } from "../../../apps/worker/src/clock.ts";
import { BUILD } from "../../../infra/src/root.ts";
import { buildDockerfile } from "../../../libs/build/src/dockerfile/execute/build.ts";
import { openContext } from "../../../libs/build/src/dockerfile/execute/context.ts";
import { DirectoryCache } from "../../../libs/build/src/dockerfile/execute/directory-cache.ts";
import { DockerfileBuildError } from "../../../libs/build/src/dockerfile/execute/failure.ts";
import type { RunProgram } from "../../../libs/build/src/dockerfile/execute/ports.ts";
import { DockerfileError } from "../../../libs/build/src/dockerfile/source/failure.ts";
import { BASE_CMD, BASE_ENV, type Base } from "./bases.ts";
import type { Builder, Built, BuiltImage, Order } from "./builder.ts";
import type { Packing } from "./packing.ts";

/** What is the Dockerfile's fault, or its context's. */
const REFUSALS = [CliError, DockerfileBuildError, DockerfileError, BuildStopped, ImageError];

/** Our own: the builder as the worker has it, with the worker's boxes for RUN, over a store of its own. */
export class Mayfly implements Builder {
  readonly name = "mayfly";
  readonly #store: ImageStore;
  readonly #cache: DirectoryCache;
  readonly #boxes: BoxHost;
  readonly #run: RunProgram;
  readonly #scratch: string;
  readonly #pack: Packing;

  private constructor(
    store: ImageStore,
    cache: DirectoryCache,
    boxes: BoxHost,
    run: RunProgram,
    [scratch, pack]: readonly [string, Packing],
  ) {
    this.#scratch = scratch;
    this.#pack = pack;
    this.#store = store;
    this.#cache = cache;
    this.#boxes = boxes;
    // As the others are told: a build that reaches out is another thing on every machine.
    this.#run = (request, signal) => run({ ...request, network: "none" }, signal);
  }

  /** `pack`: how contexts come. */
  static async start(dir: string, bases: readonly Base[], pack: Packing): Promise<Mayfly> {
    mkdirSync(join(dir, "boxes"), { recursive: true, mode: 0o700 });
    const native = join(BUILD, "native");
    const boxes = await openBoxHost({
      instance: `conformance-${randomUUID().slice(0, 8)}`,
      launcher: join(native, "launcher"),
      addon: join(native, "native.node"),
      runDir: join(dir, "boxes"),
    });
    const store = await openImageStore(join(dir, "images"), { layerTree: join(native, "layer-tree") });
    const surroundings = await BuildSurroundings.open(join(dir, "surroundings"), {}, null);
    const mountCaches = await MountCaches.open(join(dir, "mount-caches"));
    const scratch = join(dir, "scratch");
    const run = programRunner("conformance", scratch, {
      boxes,
      surroundings,
      mountCaches,
      clock: systemClock,
    });
    const mayfly = new Mayfly(store, await DirectoryCache.open(join(dir, "cache")), boxes, run, [scratch, pack]);
    for (const { name, tar, tags = [] } of bases) {
      const changes = [`ENV ${BASE_ENV}`, `CMD ${JSON.stringify(BASE_CMD)}`];
      const image = await store.import(createReadStream(tar), { changes, created: new Date(0) });
      for (const tag of [name, ...tags]) await store.tag(tag, image);
    }
    return mayfly;
  }

  async build(order: Order): Promise<Built> {
    const { target, args, labels = {}, secrets = {}, noCache = false } = order;
    try {
      const { tar, dockerfile } = await this.#pack(order);
      const place = { path: dockerfile, folder: "", store: this.#store, scratch: this.#scratch };
      const opened = await openContext(tar, place);
      const building = buildDockerfile({
        dockerfile: opened.dockerfile,
        options: {
          ...{ target: target ?? "", buildArgs: new Map(Object.entries(args)), ignore: opened.ignore, labels },
          ...{ network: "default", hosts: [] },
        },
        context: opened.tree,
        store: this.#store,
        resolveImage: (reference) => this.#found(reference),
        run: this.#run,
        fetch: () => Promise.reject(new Error("builds are compared without an outside")),
        cache: this.#cache,
        noCache,
        secrets: new Map(Object.entries(secrets).map(([id, file]) => [id, readFileSync(file)])),
        now: new Date(),
        epoch: null,
        onEvent: () => {},
        signal: new AbortController().signal,
      });
      return { image: await building.finally(opened.close) };
    } catch (error) {
      const isTheirs = REFUSALS.some((kind) => error instanceof kind);
      if (!isTheirs) throw error;
      return { refused: (error as Error).message };
    }
  }

  async image(name: string): Promise<BuiltImage> {
    const digest = await this.#found(name);
    const { manifest, config } = await this.#store.image(digest);
    const { lower } = manifest.layers.length === 0 ? { lower: [] } : await this.#store.rootfs(digest);
    return { lower, document: config as BuiltImage["document"] };
  }

  /** Whose CPU counts. */
  get pids(): number[] {
    return [process.pid, this.#boxes.launcherPid!];
  }

  async close(): Promise<void> {
    await this.#store.synced();
    await this.#boxes.close();
  }

  async #found(reference: string): Promise<Digest> {
    const digest = await this.#store.resolve(reference);
    if (!digest) throw new Error("there is no such image");
    return digest;
  }
}
