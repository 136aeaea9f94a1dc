import type { Digest } from "@mayfly/contract";
import type { ImageStore, Layer } from "@mayfly/image";
import { entriesOf, listOf, placedIn } from "../copy/layer.ts";
import type { Contents } from "../files/contents.ts";
import type { FileTree } from "../files/file-tree.ts";
import { secondsOf } from "../files/listing.ts";
import type { CopyStep, Origin, Step, WorkdirStep } from "../plan/step.ts";
import { placeCopy, placeWorkdir } from "./copy-step.ts";
import { placedKey } from "./key.ts";
import type { BuildCache, Fetch, MadeLayer, RunProgram } from "./ports.ts";
import { type RemoteOrigin, remoteTree } from "./remote.ts";
import { runStep } from "./run-step.ts";
import type { StageFiles } from "./stage-files.ts";

export interface StepParts {
  readonly store: ImageStore;
  readonly cache: BuildCache;
  readonly noCache: boolean;
  readonly contents: Contents;
  /** When all of this build is made. */
  readonly now: Date;
  readonly run: RunProgram;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly fetch: Fetch;
  readonly dockerfile: string;
  readonly signal: AbortSignal;
  readonly treeOf: (origin: Origin) => Promise<FileTree>;
  /** An image of an origin's files; null when there are none. */
  readonly imageOf: (origin: Origin) => Promise<Digest | null>;
  readonly imageOfFiles: (files: StageFiles) => Promise<Digest | null>;
  readonly onOutput: (stream: "stdout" | "stderr", text: string) => void;
}

export interface StepResult {
  readonly layer: MadeLayer;
  readonly cached: boolean;
}

/** Makes the layer of a step, or finds the one that was made before of the same things. @throws DockerfileError, DockerfileBuildError */
export async function carryOut(step: Step, below: StageFiles, parts: StepParts): Promise<StepResult> {
  return step.kind === "run" ? runStep(step, below, parts) : filesStep(step, below, parts);
}

async function filesStep(step: CopyStep | WorkdirStep, below: StageFiles, parts: StepParts): Promise<StepResult> {
  const { contents, now, store, cache } = parts;
  const copying = {
    contents,
    now_s: secondsOf(now),
    filesOf: ({ origin }: { readonly origin: Origin }) => parts.treeOf(origin),
    remoteOf: (source: RemoteOrigin) => remoteTree(source, parts),
  };
  const { tree, paths } =
    step.kind === "workdir" ? await placeWorkdir(step, below, copying) : await placeCopy(step, below, copying);
  const placed = placedIn(tree, paths);
  return remembered(placedKey(below.digests, placed), parts, async () => {
    const layer = await store.addLayer(entriesOf(placed, contents), { compression: "gzip" });
    // What is in it is known; else the next step would read it again.
    await cache.keepListing(layer.digest, listOf(placed));
    return layer;
  });
}

/** What was made under a key counts as long as its bytes are in the store. */
export async function remembered(
  key: string,
  { cache, noCache, store, now }: Pick<StepParts, "cache" | "noCache" | "store" | "now">,
  make: () => Promise<Layer>,
): Promise<StepResult> {
  const known = noCache ? null : await cache.step(key);
  if (known && (await store.blobs.has(known.digest))) return { layer: known, cached: true };
  const layer = { ...(await make()), made_at: now.toISOString() };
  await cache.keepStep(key, layer);
  return { layer, cached: false };
}
