import type { Digest } from "@mayfly/contract";
import type { ImageStore, NewImage } from "@mayfly/image";
import { entriesOf, pathsOf, placedIn } from "../copy/layer.ts";
import { Contents } from "../files/contents.ts";
import type { FileTree } from "../files/file-tree.ts";
import type { HistoryLine } from "../plan/config.ts";
import type { Plan, PlannedStage } from "../plan/plan.ts";
import type { Origin, Step } from "../plan/step.ts";
import { DockerfileError } from "../source/failure.ts";
import type { DockerfileBuild } from "./build.ts";
import { DockerfileBuildError } from "./failure.ts";
import { Files, NO_FILES, type StageFiles } from "./stage-files.ts";
import { carryOut, type StepParts } from "./step.ts";

/** Carries a plan out: each stage as soon as what it needs is there. The first failure ends all of them. */
export class Execution {
  readonly #plan: Plan;
  readonly #images: ReadonlyMap<string, Digest>;
  readonly #build: DockerfileBuild;
  readonly #contents: Contents;
  readonly #files: Files;
  readonly #stop = new AbortController();
  readonly #stages = new Map<number, Promise<StageFiles>>();
  readonly #now: Date;
  #contextImage: Promise<Digest> | undefined;
  #steps = 0;

  constructor(plan: Plan, images: ReadonlyMap<string, Digest>, build: DockerfileBuild) {
    this.#plan = plan;
    this.#images = images;
    this.#build = build;
    this.#contents = new Contents(build.store, this.#stop.signal, build.cache.memory);
    this.#now = build.epoch ?? build.now;
    this.#files = new Files(build.store, this.#contents, build.cache);
  }

  /** @returns the digest of the target's image */
  async image(): Promise<Digest> {
    const { signal } = this.#build;
    const stop = () => this.#stop.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      for (const stage of this.#plan.stages) {
        const files = this.#stage(stage);
        this.#stages.set(stage.index, files);
        files.catch((error) => this.#stop.abort(error));
      }
      const all = await Promise.allSettled(this.#stages.values());
      this.#stop.signal.throwIfAborted();
      const last = all.at(-1)!;
      if (last.status === "rejected") throw last.reason;
      return await this.#put(this.#plan.stages.at(-1)!, last.value);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async #stage(stage: PlannedStage): Promise<StageFiles> {
    let files = await this.#origin(stage.base);
    for (const step of stage.steps) {
      await Promise.all(originsOf(step).map((origin) => this.#origin(origin)));
      this.#stop.signal.throwIfAborted();
      files = await this.#step(step, files);
    }
    return files;
  }

  async #step(step: Step, below: StageFiles): Promise<StageFiles> {
    const number = ++this.#steps;
    const { onEvent, dockerfile } = this.#build;
    const began = performance.now();
    onEvent({ event: "started", step: number, title: step.title });
    try {
      const { layer, cached } = await carryOut(step, below, this.#parts(number));
      const files = await this.#files.with(below, layer);
      const elapsed_ms = Math.round(performance.now() - began);
      onEvent({ event: cached ? "cached" : "done", step: number, title: step.title, elapsed_ms });
      return files;
    } catch (error) {
      if (error instanceof DockerfileError) error.range ??= step.range;
      const failure = error instanceof DockerfileError ? DockerfileBuildError.of(error, dockerfile) : error;
      const message = failure instanceof Error ? failure.message : String(failure);
      if (!this.#stop.signal.aborted) onEvent({ event: "failed", step: number, title: step.title, message });
      throw failure;
    }
  }

  #parts(number: number): StepParts {
    const { store, cache, noCache, run, fetch, secrets, onEvent, dockerfile } = this.#build;
    return {
      store,
      cache,
      noCache,
      contents: this.#contents,
      now: this.#now,
      run,
      secrets,
      fetch,
      dockerfile,
      signal: this.#stop.signal,
      treeOf: async (origin): Promise<FileTree> => (await this.#origin(origin)).tree,
      imageOf: async (origin) => {
        const { context } = this.#build;
        if (origin.kind !== "context" || context === null) return this.#imageOf(await this.#origin(origin));
        this.#contextImage ??= this.#imageOfContext(context);
        return this.#contextImage;
      },
      imageOfFiles: (files) => this.#imageOf(files),
      onOutput: (stream, text) => onEvent({ event: "output", step: number, stream, text }),
    };
  }

  async #origin(origin: Origin): Promise<StageFiles> {
    switch (origin.kind) {
      case "scratch":
        return NO_FILES;
      case "stage":
        return this.#stages.get(origin.stage)!;
      case "image":
        return this.#files.ofImage(this.#images.get(origin.reference)!);
      case "context":
        return this.#build.context === null ? NO_FILES : { ...NO_FILES, tree: this.#build.context };
    }
  }

  /** The context as an image: a RUN may bind its files. */
  async #imageOfContext(tree: FileTree): Promise<Digest> {
    const { store } = this.#build;
    const placed = placedIn(tree, [...pathsOf(tree)]);
    const layer = await store.addLayer(entriesOf(placed, this.#contents), { compression: "none" });
    return store.createImage({ base: null, layers: [layer], config: {}, history: ["context"], created: new Date(0) });
  }

  /** An image of files alone, for a box to run over; null when there are none. */
  async #imageOf({ image, layers }: StageFiles): Promise<Digest | null> {
    if (layers.length === 0) return image;
    const history = layers.map(() => ({}));
    return this.#build.store.createImage({ base: image, layers, config: {}, history, created: new Date(0) });
  }

  /** Of an image to which nothing is added but words. */
  async #timeBelow(image: Digest | null): Promise<Date> {
    if (image === null || this.#build.epoch !== null) return this.#now;
    const created = new Date((await this.#build.store.image(image)).config.created);
    return Number.isNaN(created.getTime()) ? this.#now : created;
  }

  /** The target's image: its history and those of the stages below it. */
  async #put(target: PlannedStage, { image, layers }: StageFiles): Promise<Digest> {
    const chain: PlannedStage[] = [target];
    for (let base = target.base; base.kind === "stage"; base = chain[0]!.base) {
      const { stage } = base;
      chain.unshift(this.#plan.stages.find(({ index }) => index === stage)!);
    }
    return this.#build.store.createImage({
      base: image,
      layers,
      config: await wholeConfig(target, image, this.#build.store),
      ...timed(
        chain.flatMap(({ history }) => history),
        this.#build.epoch === null ? layers.map(({ made_at }) => new Date(made_at)) : layers.map(() => this.#now),
        await this.#timeBelow(image),
      ),
      ...(target.author !== undefined && { author: target.author }),
    });
  }
}

/**
 * A line of a layer has the layer's time, an empty one that of the layer before it, or of the first one: an image of nothing but what was
 * made before is the same image again, as BuildKit has it.
 */
function timed(
  history: readonly HistoryLine[],
  layers: readonly Date[],
  below: Date,
): Pick<NewImage, "history" | "created"> {
  const left = [...layers];
  let created = layers[0] ?? below;
  const lines = history.map((line) => {
    if (!line.empty_layer) created = left.shift()!;
    return { ...line, created };
  });
  return { history: lines, created };
}

/** What must be there before a step can start. */
function originsOf(step: Step): Origin[] {
  if (step.kind === "run") return step.mounts.map(({ origin }) => origin);
  if (step.kind === "workdir") return [];
  return step.sources.flatMap((source) => (source.kind === "path" ? [source.origin] : []));
}

/** The config as the plan has it; what the base has besides goes. Docker's members stand beside those of OCI, as everywhere. */
async function wholeConfig(
  { config }: PlannedStage,
  base: Digest | null,
  store: ImageStore,
): Promise<NewImage["config"]> {
  const below = base === null ? {} : (await store.image(base)).config.config;
  const removed = Object.fromEntries(Object.keys(below).map((name) => [name, undefined]));
  const kept = Object.entries(config).filter(([, value]) => value !== null && !isEmpty(value));
  return { ...removed, ...Object.fromEntries(kept) } as NewImage["config"];
}

/** As Go leaves it out of JSON. */
const isEmpty = (value: unknown): boolean => value === "" || (Array.isArray(value) && value.length === 0);
