import type { ConfigDocument } from "../made/config.ts";

/** What is asked of an engine: a folder, and how to read it. */
export interface Order {
  readonly dir: string;
  /** Below `dir`. */
  readonly dockerfile: string;
  readonly target: string | null;
  readonly args: Readonly<Record<string, string>>;
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
