import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { ImageError, type ImageStore, openImageStore } from "@mayfly/image";
import { fetchDebs } from "./fetch-debs.ts";
import { digestOfInputs } from "./inputs.ts";
import { INPUTS_LABEL, makeBuilder, makeNodeBase } from "./make-images.ts";
import { BASE_PACKAGES, BUILDER_PACKAGES } from "./packages.ts";

/** The same for everybody: the wall clock would give every machine an image of its own. */
const CREATED = new Date("2026-01-01T00:00:00Z");
const NODE_TAG = "mayfly/node:24";
const BUILDER_TAG = "mayfly/builder:latest";

const [imagesDir, cacheDir, layerTree, runner, ...programs] = process.argv.slice(2);
if (!imagesDir || !cacheDir || !layerTree || !runner || programs.length === 0) {
  process.stderr.write(
    "usage: node infra/base-image/main.ts <imagesDir> <cacheDir> <layer-tree> <runner.mjs> <program of builder boxes>…\n",
  );
  process.exit(2);
}
const say = (line: string) => process.stdout.write(`${line}\n`);

try {
  mkdirSync(cacheDir, { recursive: true });
  const store = await openImageStore(imagesDir, { layerTree });
  const debs = await fetchDebs({ wanted: BASE_PACKAGES, cacheDir, onProgress: say });
  const builderCache = join(cacheDir, "builder");
  const builderDebs = await fetchDebs({ wanted: BUILDER_PACKAGES, cacheDir: builderCache, onProgress: say });
  const nodeBinary = binary(`node-linux-${process.arch}`, "bin/node");
  const esbuildBinary = binary(`@esbuild/linux-${process.arch}`, "bin/esbuild");
  const inputsOf = (files: string[], name: string) => digestOfInputs(files, join(cacheDir, `${name}.digests.json`));
  const nodeInputs = await inputsOf([...debs.toSorted(), nodeBinary, runner], "node");
  const base = await unlessMade(store, NODE_TAG, nodeInputs, (labels) =>
    makeNodeBase({ store, debs, nodeBinary, runner, created: CREATED, labels }),
  );
  const npm = dirname(manifestOf("npm"));
  const builderInputs = `${await inputsOf([esbuildBinary, manifestOf("npm"), ...builderDebs, ...programs], "builder")} ${base}`;
  await unlessMade(store, BUILDER_TAG, builderInputs, (labels) =>
    makeBuilder({ store, base, debs: builderDebs, esbuildBinary, npm, programs, created: CREATED, labels }),
  );
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

/** Makes, unpacks and tags an image, unless the tag stands for a sound one that was made from the same inputs. */
async function unlessMade(
  store: ImageStore,
  tag: string,
  inputs: string,
  make: (labels: Record<string, string>) => Promise<Digest>,
): Promise<Digest> {
  let digest = await madeFrom(store, tag, inputs);
  if (digest === null) {
    say(`making the image ${tag}`);
    digest = await make({ [INPUTS_LABEL]: inputs });
    await store.rootfs(digest);
    await store.tag(tag, digest);
  }
  say(`${tag} is ${digest}`);
  return digest;
}

async function madeFrom(store: ImageStore, tag: string, inputs: string): Promise<Digest | null> {
  try {
    const digest = await store.resolve(tag);
    if (digest === null || (await store.image(digest)).config.config.Labels?.[INPUTS_LABEL] !== inputs) return null;
    await store.rootfs(digest);
    return digest;
  } catch (error) {
    // Making it again mends what is missing or damaged, and nothing else.
    if (error instanceof ImageError && (error.reason === "missing" || error.reason === "corrupt")) return null;
    throw error;
  }
}

/** Of an npm package: the one that the lock file pins, not what happens to be installed on the machine. */
function manifestOf(npmPackage: string): string {
  return createRequire(import.meta.url).resolve(`${npmPackage}/package.json`);
}

function binary(npmPackage: string, path: string): string {
  return join(dirname(manifestOf(npmPackage)), path);
}
