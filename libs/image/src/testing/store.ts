import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { onTestFinished } from "vitest";
import type { ImageStore } from "../image-store.ts";
import type { LayerLimits } from "../layer/limits.ts";
import { openImageStore } from "../store.ts";
import { inChunks } from "./archive.ts";
import { TestRoot } from "./box.ts";
import { builtLayerTree } from "./native.ts";
import { makeDirectory, removeDirectory, type Where } from "./temporary.ts";

/** For tests: a store in a folder of its own. Whoever opens it removes it. */
export class TestStore {
  readonly dir: string;
  readonly store: ImageStore;

  private constructor(dir: string, store: ImageStore) {
    this.dir = dir;
    this.store = store;
  }

  /** For one test, at whose end it goes. */
  static async forTest(options: Parameters<typeof TestStore.open>[0] = {}): Promise<TestStore> {
    const test = await TestStore.open(options);
    onTestFinished(() => test.remove());
    return test;
  }

  static async open(
    options: { where?: Where; sanitize?: true; limits?: Partial<LayerLimits> } = {},
  ): Promise<TestStore> {
    const { where = "memory", limits = {}, ...build } = options;
    const dir = join(makeDirectory(where), "store");
    return new TestStore(dir, await openImageStore(dir, { layerTree: builtLayerTree(build), limits }));
  }

  async remove(): Promise<void> {
    await this.store.synced();
    removeDirectory(join(this.dir, ".."));
  }

  /** An image of these tars, bottom first, as somebody else would have made it. */
  async image(...tars: readonly Buffer[]): Promise<Digest> {
    const layers = [];
    for (const tar of tars) layers.push(await this.store.adoptLayer(inChunks(tar)));
    const history = tars.map((_, at) => `layer ${at}`);
    return this.store.createImage({ base: null, layers, config: {}, history, created: new Date(0) });
  }

  /** The folders of an image of these tars, topmost first. */
  async unpack(...tars: readonly Buffer[]): Promise<readonly string[]> {
    return (await this.store.rootfs(await this.image(...tars))).lower;
  }

  /** What lies about besides whole blobs, snapshots and tags. */
  async leftovers(): Promise<string[]> {
    await this.store.synced();
    return readdirSync(join(this.dir, "tmp"));
  }
  snapshots(): string[] {
    return readdirSync(join(this.dir, "snapshots"));
  }
}

/** What a shell script prints that stands in a box's root: the folders laid over each other, as the kernel shows them. */
export function inMerged(lower: readonly string[], script: string): string {
  const work = mkdtempSync(join(lower[0]!, "../../../merged-"));
  try {
    return new TestRoot(work, lower).run(script);
  } finally {
    rmSync(work, { recursive: true });
  }
}
