import { resolve } from "node:path";
import type { ConfigDocument } from "../made/config.ts";

/** What is asked of an engine: a folder, and how to read it. */
export interface Order {
  readonly dir: string;
  /** Below `dir`, or an absolute path. */
  readonly dockerfile: string;
  readonly target: string | null;
  readonly args: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Id → a file. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Nothing that was made before is used. */
  readonly noCache?: boolean;
}

/** An engine that builds. It has the bases by their names. */
export interface Builder {
  readonly name: string;
  build(order: Order): Promise<Built>;
  /** What an image is, by a base's name or by what a build has answered. */
  image(name: string): Promise<BuiltImage>;
}

export type Built = { readonly refused: string } | { readonly image: string };

export interface BuiltImage {
  /** Folders of layers, topmost first, for overlayfs. */
  readonly lower: readonly string[];
  readonly document: ConfigDocument;
}

/** What `docker build` and `buildah build` are told in the same words. */
export function optionsOf({
  dir,
  dockerfile,
  target,
  args,
  labels = {},
  secrets = {},
  noCache = false,
}: Order): string[] {
  return [
    ...["-f", resolve(dir, dockerfile)],
    ...(noCache ? ["--no-cache"] : []),
    ...(target === null ? [] : ["--target", target]),
    ...Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`),
    ...Object.entries(secrets).map(([id, file]) => `--secret=id=${id},src=${file}`),
  ];
}
