import type { Digest } from "@mayfly/contract";
import { decompressedArchive, entriesOfTar, ImageError, type ImageStore, type LayerEntry } from "@mayfly/image";
import type { ContentSource } from "./file-tree.ts";
import { contentOf, type Listed, listed, told } from "./listing.ts";

/** What is read from its beginning on, whichever file of it is wanted. */
export type StreamedSource = Extract<ContentSource, { readonly path: string }>;

/** What files of layers hold, as they were read before. */
export interface Texts {
  text(layer: Digest, path: string): string | undefined;
  keepText(layer: Digest, path: string, text: string): void;
}

/** Reads contents of files where they are: in blobs, never in unpacked trees, so no link can lead anywhere. */
export class Contents {
  readonly #store: ImageStore;
  readonly #signal: AbortSignal | null;
  readonly #texts: Texts | null;

  /**
   * `signal`: nothing more is read once it is aborted, and who reads gets its reason. `texts`: what was read out of layers before.
   */
  constructor(store: ImageStore, signal: AbortSignal | null = null, texts: Texts | null = null) {
    this.#store = store;
    this.#signal = signal;
    this.#texts = texts;
  }

  /** The bytes of a file. @throws ImageError when it is not there any more, or damaged */
  async *read(source: ContentSource): AsyncGenerator<Uint8Array> {
    this.#signal?.throwIfAborted();
    if ("bytes" in source) {
      yield source.bytes;
      return;
    }
    if ("spooled" in source) {
      for await (const chunk of source.spooled.read(source.at, source.size_bytes)) {
        this.#signal?.throwIfAborted();
        yield chunk;
      }
      return;
    }
    for await (const entry of this.entries(source)) {
      if (entry.path !== source.path || entry.type !== "file") continue;
      yield* contentOf(entry);
      return;
    }
    throw new ImageError("missing", `"${source.path}" is not in its layer`);
  }

  /** A small file as text. */
  async text(source: ContentSource, mostBytes: number): Promise<string> {
    if (!("layer" in source)) return this.#text(source, mostBytes);
    const known = this.#texts?.text(source.layer, source.path);
    if (known !== undefined) return known;
    const text = await this.#text(source, mostBytes);
    this.#texts?.keepText(source.layer, source.path, text);
    return text;
  }

  async #text(source: ContentSource, mostBytes: number): Promise<string> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.read(source)) {
      size += chunk.byteLength;
      if (size > mostBytes) throw new ImageError("refused", `a file that is read here has at most ${mostBytes} bytes`);
      parts.push(chunk);
    }
    return Buffer.concat(parts).toString();
  }

  /** The entries of the layer or archive that a file is in, told apart. */
  async *entries(source: StreamedSource): AsyncGenerator<LayerEntry> {
    const bytes = "archive" in source ? await decompressedArchive(this.read(source.archive)) : null;
    const entries = "layer" in source ? this.#store.layerEntries(source.layer) : entriesOfTar(bytes!);
    for await (const entry of told(entries)) {
      this.#signal?.throwIfAborted();
      yield entry;
    }
  }

  /** What is in a file when it is a tar, packed or not; null when it is none, whatever its name is. */
  async archive(source: ContentSource): Promise<Listed[] | null> {
    let found = false;
    const entries = this.entries({ archive: source, path: "" });
    const noticed = (async function* () {
      for await (const entry of entries) {
        found = true;
        yield entry;
      }
    })();
    try {
      const list = await listed(noticed);
      return found ? list : null;
    } catch (error) {
      // Until its first entry is read it may be anything.
      if (!found && error instanceof ImageError) return null;
      throw error;
    }
  }

  layer(digest: Digest): Promise<Listed[]> {
    return listed(this.entries({ layer: digest, path: "" }));
  }
}
