import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { entriesOfTar, type ImageStore, type LayerEntry, openImageStore } from "@mayfly/image";
import { buildDockerfile } from "../dockerfile/execute/build.ts";
import { openContext } from "../dockerfile/execute/context.ts";
import { DirectoryCache } from "../dockerfile/execute/directory-cache.ts";
import type { BuildEvent, Fetch } from "../dockerfile/execute/ports.ts";
import { contentOf } from "../dockerfile/files/listing.ts";
import { chrootRun } from "./chroot-run.ts";
import { shellRoot } from "./shell-root.ts";

/** As `npm test` builds it. */
const LAYER_TREE = join(import.meta.dirname, "../../../../build/native/layer-tree");
const ATTRIBUTES = { uid: 0, gid: 0, mtime_s: 1_700_000_000 };

/** Names to what is there: text of a file, `-> target` of a link, null for a folder, or all of it. */
export type Tree = Readonly<Record<string, string | null | Partial<LayerEntry>>>;

export interface Given {
  readonly context?: Tree;
  readonly noCache?: boolean;
  readonly hosts?: readonly string[];
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly fetch?: Fetch;
  readonly now?: Date;
  readonly epoch?: Date;
}

/** Builds of Dockerfiles over a real store; RUN runs in a chroot. */
export class DockerfileBuilds {
  readonly store: ImageStore;
  readonly cache: DirectoryCache;
  readonly dir: string;
  events: BuildEvent[] = [];

  private constructor(dir: string, store: ImageStore, cache: DirectoryCache) {
    this.dir = dir;
    this.store = store;
    this.cache = cache;
  }

  static async start(): Promise<DockerfileBuilds> {
    const memory = "/dev/shm";
    const dir = await mkdtemp(join(existsSync(memory) ? memory : tmpdir(), "mayfly-dockerfile-"));
    const store = await openImageStore(join(dir, "store"), { layerTree: LAYER_TREE });
    return new DockerfileBuilds(dir, store, await DirectoryCache.open(join(dir, "cache")));
  }

  async close(): Promise<void> {
    await this.store.synced();
    await rm(this.dir, { recursive: true });
  }

  /** An image of one layer, tagged. */
  async image(tag: string, tree: Tree, config = {}): Promise<Digest> {
    const layer = await this.store.addLayer(entriesOf(tree), { compression: "gzip" });
    const image = { base: null, layers: [layer], config, history: ["made"], created: new Date(0) };
    const digest = await this.store.createImage(image);
    await this.store.tag(tag, digest);
    return digest;
  }

  /** This machine's shell and a few programs with their libraries, as an image. */
  async shellImage(tag: string): Promise<void> {
    const image = await this.store.import(chunked(shellRoot()), { created: new Date(0) });
    await this.store.tag(tag, image);
  }

  async build(dockerfile: string, given: Given = {}): Promise<Digest> {
    const { context = {}, noCache = false, target = "", args = {}, signal = new AbortController().signal } = given;
    this.events = [];
    const file = { Dockerfile: dockerfile, ...context };
    const layer = await this.store.addLayer(entriesOf(file), { compression: "none" });
    const place = { path: "Dockerfile", folder: "", store: this.store, scratch: join(this.dir, "scratch") };
    const opened = await openContext(this.store.blobs.open(layer.digest), place);
    const building = buildDockerfile({
      dockerfile: opened.dockerfile,
      options: {
        target,
        buildArgs: new Map(Object.entries(args)),
        ignore: opened.ignore,
        labels: {},
        network: "default",
        hosts: given.hosts ?? [],
      },
      context: opened.tree,
      store: this.store,
      resolveImage: async (reference) => {
        const digest = await this.store.resolve(reference);
        if (!digest) throw new Error("not found");
        return digest;
      },
      run: chrootRun(this.dir),
      secrets: new Map(),
      fetch: given.fetch ?? (() => Promise.reject(new Error("this test has no outside"))),
      cache: this.cache,
      noCache,
      now: given.now ?? new Date(1_800_000_000_000),
      epoch: given.epoch ?? null,
      onEvent: (event) => this.events.push(event),
      signal,
    });
    return building.finally(opened.close);
  }

  /** What a build makes besides what its base has: `path type mode uid:gid content`. */
  async made(dockerfile: string, given: Given = {}, base: Tree = {}): Promise<string[]> {
    const lines = await this.#lines(await this.build(dockerfile, given));
    const below = new Set(Object.keys(base));
    return lines.filter((line) => !below.has(line.split(" ")[0]!));
  }

  async #lines(image: Digest): Promise<string[]> {
    const lines: string[] = [];
    for await (const entry of entriesOfTar(this.store.export(image))) lines.push(await lineOf(entry));
    return lines;
  }

  /** Titles of steps with how they went. */
  get steps(): string[] {
    return this.events.flatMap((event) =>
      event.event === "done" || event.event === "cached" || event.event === "failed"
        ? [`${event.event} ${event.title}`]
        : [],
    );
  }
}

async function lineOf(entry: LayerEntry): Promise<string> {
  if (!("mode" in entry)) return `${entry.path} ${entry.type}`;
  const { path, type, mode, uid, gid } = entry;
  const parts = [path, type, mode.toString(8), `${uid}:${gid}`];
  if (entry.type === "symlink" || entry.type === "hard_link") parts.push(entry.target);
  if (entry.type === "file") {
    const bytes: Uint8Array[] = [];
    for await (const chunk of contentOf(entry)) bytes.push(chunk);
    parts.push(JSON.stringify(Buffer.concat(bytes).toString()));
  }
  return parts.join(" ");
}

function entriesOf(tree: Tree): LayerEntry[] {
  return Object.entries(tree).map(([path, is]) => {
    if (is === null) return { type: "directory", path, mode: 0o755, ...ATTRIBUTES };
    if (typeof is !== "string") return { ...entryOf(path, "content" in is ? "" : "x"), ...is, path } as LayerEntry;
    return entryOf(path, is);
  });
}

function entryOf(path: string, is: string): LayerEntry {
  if (is.startsWith("-> ")) return { type: "symlink", path, mode: 0o777, ...ATTRIBUTES, target: is.slice(3) };
  const content = Buffer.from(is);
  return { type: "file", path, mode: 0o644, ...ATTRIBUTES, size_bytes: content.byteLength, content };
}

async function* chunked(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
