import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  type BuildRecord,
  BuildResult,
  DEFAULT_SETTINGS,
  type Digest,
  newBuildId,
  type Settings,
  type SourceKind,
} from "@mayfly/contract";
import { type ImageStore, openImageStore } from "@mayfly/image";
import { buildCode } from "../build-code.ts";
import { DirectoryCache } from "../dockerfile/execute/directory-cache.ts";
import { ChildBoxes } from "./child-boxes.ts";

/** As `npm test` builds it. */
const LAYER_TREE = join(import.meta.dirname, "../../../../build/native/layer-tree");

interface Given {
  readonly kind?: SourceKind;
  readonly file_name?: string;
  readonly settings?: Partial<Settings>;
  readonly signal?: AbortSignal;
  readonly openSource?: () => Readable;
}

/** Whole builds over a real store, in boxes that are child processes. */
export class TestBuilds {
  readonly store: ImageStore;
  readonly boxes: ChildBoxes;
  readonly #base: Digest;
  readonly #dir: string;

  private constructor(dir: string, store: ImageStore, base: Digest) {
    this.#dir = dir;
    this.store = store;
    this.#base = base;
    this.boxes = new ChildBoxes(() => store);
  }

  static async start(): Promise<TestBuilds> {
    const dir = await mkdtemp(join(tmpdir(), "mayfly-build-store-"));
    const store = await openImageStore(dir, { layerTree: LAYER_TREE });
    const app = { type: "directory", path: "app", mode: 0o755, uid: 0, gid: 0, mtime_s: 0 } as const;
    const layer = await store.addLayer([app], { compression: "none" });
    const config = { Env: ["PATH=/usr/bin"] };
    const base = await store.createImage({
      base: null,
      layers: [layer],
      config,
      history: ["base"],
      created: new Date(0),
    });
    const builds = new TestBuilds(dir, store, base);
    await builds.boxes.bundlePrograms();
    return builds;
  }

  async build(source: string | Buffer, given: Given = {}) {
    const { kind = "module", file_name = "index.ts", settings = {}, signal = new AbortController().signal } = given;
    const bytes = Buffer.from(source);
    const records: BuildRecord[] = [];
    const id = newBuildId(Date.now());
    const built = await buildCode({
      job: {
        function: "fn" as never,
        source: { kind, file_name },
        settings: { ...DEFAULT_SETTINGS, ...settings },
      },
      openSource: async () => given.openSource?.() ?? Readable.from([bytes]),
      store: this.store,
      base: this.#base,
      builder: this.#base,
      openBox: this.boxes.open,
      run: () => Promise.reject(new Error("nothing is installed here: see test/e2e")),
      cache: await DirectoryCache.open(join(this.#dir, "cache")),
      onRecord: (record) => records.push(record),
      now: () => new Date(0),
      signal,
    });
    // As it goes through the outbox: what the gateway cannot read would stay there for ever.
    BuildResult.parse({ build: id, function: "fn", ended_at: "", duration_us: 0, log_tail: records, ...built });
    return { ...built, records, log: records.filter((r) => r.status === "log").map((r) => r.msg) };
  }

  async failure(source: string | Buffer, given: Given = {}) {
    const { outcome } = await this.build(source, given);
    if (outcome.status !== "error") throw new Error("the build succeeded");
    return outcome.error;
  }

  async done(source: string | Buffer, given: Given = {}) {
    const { outcome } = await this.build(source, given);
    if (outcome.status !== "done") throw new Error(JSON.stringify(outcome));
    return outcome;
  }

  /** As it was before the last test. @throws when a box of it still lives */
  reset(): void {
    const { boxes } = this;
    boxes.instead.clear();
    boxes.endings = [];
    boxes.timeout_ms = null;
    boxes.requests.length = 0;
    if (boxes.living > 0) throw new Error(`${boxes.living} boxes still live`);
  }

  async close(): Promise<void> {
    this.boxes.close();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
