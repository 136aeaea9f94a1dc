import { execFile } from "node:child_process";
import { basename } from "node:path";
import { promisify } from "node:util";
import type { Digest } from "@mayfly/contract";
import type { ImageStore, LayerEntry } from "@mayfly/image";
import { type DebFields, fieldsOf } from "./deb.ts";
import { debianFiles } from "./debian-files.ts";
import { filesOfFolder, programLayer } from "./program-layer.ts";
import { skeletonFolders, systemFiles } from "./system-files.ts";

/** Label that says what an image was made from. */
export const INPUTS_LABEL = "dev.mayfly.inputs";

interface Made {
  readonly store: ImageStore;
  /** Time of the image and of every file in it: the wall clock must not reach the digest. */
  readonly created: Date;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Makes the image that functions run on, of Debian packages, a node binary and the runner bundle, each a layer of its own, so that
 * a new runner costs a few kilobytes. Paths are of files on this host. Equal inputs give equal digests, wherever and whenever.
 */
export async function makeNodeBase(
  input: Made & { readonly debs: readonly string[]; readonly nodeBinary: string; readonly runner: string },
): Promise<Digest> {
  const { store, created } = input;
  const mtime_s = Math.floor(created.getTime() / 1000);
  const packages = await named(input.debs);
  const node = (await versionOf(input.nodeBinary)).replace(/^v/, "");
  const debian = await store.addLayer(debianLayer(packages, mtime_s), { compression: "none" });
  const program = { "usr/local/bin/node": { source: input.nodeBinary, mode: 0o755 } };
  const runner = { "mayfly/runner.mjs": { source: input.runner, mode: 0o644 } };
  const versions = packages.map(({ name, version }) => `${name}=${version}`).join(" ");
  return store.createImage({
    base: null,
    layers: [debian, await programLayer(store, program, mtime_s), await programLayer(store, runner, mtime_s)],
    history: [`Debian packages ${versions}`, `node ${node}`, "the runner of mayfly"],
    config: {
      User: "fn",
      WorkingDir: "/app",
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", `NODE_VERSION=${node}`],
      Cmd: ["node"],
      Labels: {
        ...input.labels,
        "dev.mayfly.packages": versions,
        "org.opencontainers.image.base.name": "scratch",
        "org.opencontainers.image.title": "mayfly/node",
        "org.opencontainers.image.version": node,
      },
    },
    created,
  });
}

/** Makes the image that builds run in: `base`, a shell and coreutils for scripts of packages, esbuild, npm, and our programs. */
export async function makeBuilder(
  input: Made & {
    readonly base: Digest;
    readonly debs: readonly string[];
    readonly esbuildBinary: string;
    /** The folder of the package npm. */
    readonly npm: string;
    readonly programs: readonly string[];
  },
): Promise<Digest> {
  const { store, base, created } = input;
  const mtime_s = Math.floor(created.getTime() / 1000);
  const esbuild = await versionOf(input.esbuildBinary);
  const shell = await store.addLayer(debianFiles(input.debs, skeletonFolders(mtime_s), mtime_s), {
    compression: "none",
  });
  const bundler = { "usr/local/bin/esbuild": { source: input.esbuildBinary, mode: 0o755 } };
  const npm = filesOfFolder(input.npm, "usr/local/lib/node_modules/npm");
  const programs = Object.fromEntries(
    input.programs.map((source) => [`mayfly/${basename(source)}`, { source, mode: 0o644 }]),
  );
  const layers = [shell];
  for (const files of [bundler, npm, programs]) layers.push(await programLayer(store, files, mtime_s));
  const { config } = await store.image(base);
  return store.createImage({
    base,
    layers,
    history: ["a shell and coreutils", `esbuild ${esbuild}`, "npm", "the builder of mayfly"],
    config: {
      Labels: {
        ...config.config.Labels,
        ...input.labels,
        "dev.mayfly.esbuild": esbuild,
        "org.opencontainers.image.title": "mayfly/builder",
      },
    },
    created,
  });
}

type Package = DebFields & { readonly deb: string };

/** By name: the order in which the files were given must not reach the digest. */
async function named(debs: readonly string[]): Promise<Package[]> {
  const packages = await Promise.all(debs.map(async (deb) => ({ deb, ...(await fieldsOf(deb)) })));
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function* debianLayer(packages: readonly Package[], mtime_s: number): AsyncGenerator<LayerEntry> {
  const debs = packages.map(({ deb }) => deb);
  yield* debianFiles(debs, skeletonFolders(mtime_s), mtime_s);
  yield* systemFiles(mtime_s);
}

/** Asks the program itself, so that what the image says of itself is true. */
async function versionOf(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ["--version"]);
  return stdout.trim();
}
