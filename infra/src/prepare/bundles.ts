import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { BUILD, ROOT } from "../root.ts";
import { digestOf, unlessMade } from "./stamp.ts";

export interface Bundles {
  readonly runner: string;
  readonly nursery: string;
  readonly builder: string;
  readonly installer: string;
  readonly fetcher: string;
}

/** The programs that run inside of boxes, the one that boxes are forked from, and the one that speaks with registries, each as one file with all it imports. */
export async function bundlePrograms(say: (line: string) => void): Promise<Bundles> {
  const bundles = {
    runner: join(BUILD, "box", "runner.mjs"),
    // Beside its addon: together they are a layer that the host lays over the base image.
    nursery: join(BUILD, "native", "nursery", "mayfly", "nursery.mjs"),
    builder: join(BUILD, "box", "builder.mjs"),
    installer: join(BUILD, "box", "installer.mjs"),
    fetcher: join(BUILD, "box", "fetcher.mjs"),
  };
  const inputs = [
    ...["libs/contract/src", "libs/runtime/src", "libs/build/src", "package-lock.json"],
    ...["libs/image/src/registry", "libs/image/src/error.ts"],
  ].map((path) => join(ROOT, path));
  await unlessMade(join(BUILD, "box.stamp"), digestOf(inputs), async () => {
    say("bundling the programs that run in boxes and beside them");
    await bundle(join(ROOT, "libs/runtime/src/runner.ts"), bundles.runner);
    await bundle(join(ROOT, "libs/runtime/src/nursery.ts"), bundles.nursery);
    await bundle(join(ROOT, "libs/build/src/box/builder.ts"), bundles.builder);
    await bundle(join(ROOT, "libs/build/src/box/installer.ts"), bundles.installer);
    await bundle(join(ROOT, "libs/image/src/registry/courier/main.ts"), join(BUILD, "native", "courier.mjs"));
    await bundle(join(ROOT, "libs/build/src/box/fetch/fetcher.ts"), bundles.fetcher);
  });
  return bundles;
}

export interface Services {
  readonly gateway: string;
  readonly worker: string;
}

/**
 * The processes of ours that serve, each as one file: from their sources Node takes three times as long to start them (it strips types
 * from 600 files) and keeps 30 MB more. The lines are as they were written: a stack names them, and above them stands their file.
 */
export async function bundleServices(say: (line: string) => void): Promise<Services> {
  const services = { gateway: join(BUILD, "apps", "gateway.mjs"), worker: join(BUILD, "apps", "worker.mjs") };
  const inputs = ["apps/gateway/src", "apps/worker/src", "libs", "package-lock.json"].map((path) => join(ROOT, path));
  await unlessMade(join(BUILD, "apps.stamp"), digestOf(inputs), async () => {
    say("bundling gateway and worker");
    await bundle(join(ROOT, "apps/gateway/src/main.ts"), services.gateway);
    await bundle(join(ROOT, "apps/worker/src/main.ts"), services.worker);
    // libs/ledger reads it from beside its own code.
    copyFileSync(join(ROOT, "libs/ledger/src/price/default.v1.json"), join(BUILD, "apps", "default.v1.json"));
  });
  return services;
}

async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    legalComments: "none",
    logLevel: "error",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  // Paths of this clone must not reach the image: the same sources give the same bytes wherever they lie.
  writeFileSync(outfile, readFileSync(outfile, "utf8").replaceAll(ROOT, ""));
}
