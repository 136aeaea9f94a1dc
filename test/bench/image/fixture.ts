import { execFileSync } from "node:child_process";
import { cpSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { type ImageStore, openImageStore } from "@mayfly/image";
import { ROOT } from "../../../infra/src/root.ts";

export const LAYER_TREE = join(ROOT, "build/native/layer-tree");
export const COURIER = {
  cage: join(ROOT, "build/native/courier-cage"),
  program: join(ROOT, "build/native/courier.mjs"),
};
const LAYERS = 10;
/** What every machine has that runs this, by turns: many small files and some large ones. */
const SOURCES = ["/usr/share", "/usr/lib/x86_64-linux-gnu", "/usr/bin"];

/** No file is more than a tenth of an image. */
const LARGEST_SHARE_BYTES = (1024 * 1024) / 10;

export interface Fixture {
  readonly store: ImageStore;
  readonly image: Digest;
  /** What each layer holds, as folders. */
  readonly trees: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

/** An image of so many MiB of this machine's own files, in ten layers, in a store at `<dir>/fixture`. */
export async function makeFixture(dir: string, mib: number): Promise<Fixture> {
  const trees = Array.from({ length: LAYERS }, (_, at) => join(dir, "trees", String(at)));
  for (const tree of trees) mkdirSync(tree, { recursive: true, mode: 0o755 });
  let [files, bytes] = [0, 0];
  for (const path of byTurns(SOURCES.map(filesBelow))) {
    const size = lstatSync(path).size;
    if (size > mib * LARGEST_SHARE_BYTES) continue;
    if (bytes + size > mib * 1024 * 1024) break;
    const to = join(trees[files % LAYERS]!, path);
    mkdirSync(join(to, ".."), { recursive: true, mode: 0o755 });
    cpSync(path, to, { preserveTimestamps: true });
    files += 1;
    bytes += size;
  }
  const store = await openImageStore(join(dir, "fixture"), { layerTree: LAYER_TREE });
  let image: Digest | null = null;
  for (const [at, tree] of trees.entries()) {
    const layer = await store.adoptLayer(tarOf(tree));
    const history = [`layer ${at}`];
    image = await store.createImage({ base: image, layers: [layer], config: {}, history, created: new Date(0) });
  }
  await store.tag("bench:1", image!);
  return { store, image: image!, trees, files, bytes };
}

/** In one order on every run. Links are not followed: some lead in circles. */
function* filesBelow(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.isDirectory()) yield* filesBelow(join(folder, entry.name));
    else if (entry.isFile()) yield join(folder, entry.name);
  }
}

function* byTurns<T>(all: readonly Generator<T>[]): Generator<T> {
  for (let left = all; left.length > 0; ) {
    const next = left.map((one) => ({ one, ...one.next() }));
    for (const { value, done } of next) if (!done) yield value;
    left = next.flatMap(({ one, done }) => (done ? [] : [one]));
  }
}

async function* tarOf(tree: string): AsyncGenerator<Uint8Array> {
  yield execFileSync("tar", ["-cz", "--numeric-owner", "-C", tree, "."], { maxBuffer: 1 << 30 });
}
