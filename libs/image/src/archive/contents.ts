import { dirname, join } from "node:path/posix";
import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { bounded } from "../compression/bounded.ts";
import { decompressed } from "../compression/decompress.ts";
import { counted, isDigest } from "../digest.ts";
import { ImageError } from "../error.ts";
import { LARGEST_DOCUMENT_BYTES } from "../image/document.ts";
import { cleanPath } from "../layer/from-tar.ts";
import { type LayerLimits, LayerTally } from "../layer/limits.ts";
import { nameOf } from "../layer/name.ts";
import type { Member } from "../tar/member.ts";
import { readTar } from "../tar/read.ts";

/** What lies beside the blobs and says what they are. */
const DOCUMENTS = new Set(["oci-layout", "index.json", "manifest.json"]);
/** Of Docker's archives before 1.10, written until 24: nobody needs them who has manifest.json. */
const LEGACY = /(^|\/)(VERSION|json)$|^repositories$/;
const MOST_LINKS = 16;

/** An archive of images after it was read once: its documents are in memory, everything else is in the blob store. */
export class ArchiveContents {
  readonly #documents = new Map<string, Buffer>();
  readonly #blobs = new Map<string, Digest>();
  readonly #links = new Map<string, string>();

  /**
   * Reads a tar, packed or not, whatever the order of its members: what says how they belong together may come last.
   * Files named `blobs/sha256/…` must have that digest. @throws ImageError
   */
  static async read(
    source: AsyncIterable<Uint8Array>,
    blobs: BlobStore,
    limits: LayerLimits,
  ): Promise<ArchiveContents> {
    const contents = new ArchiveContents();
    const tally = new LayerTally(limits);
    const packed = { size_bytes: 0 };
    const { bytes } = await decompressed(counted(source, packed));
    for await (const member of readTar(bounded(bytes, packed, limits))) {
      const path = cleanPath(nameOf(member.name));
      tally.add(path, member.size_bytes);
      await contents.#take(path, member, blobs);
    }
    return contents;
  }

  async #take(path: string, member: Member, blobs: BlobStore): Promise<void> {
    if (member.type === "2") this.#links.set(path, cleanPath(join(dirname(path), nameOf(member.linkname))));
    else if (member.type === "1") this.#links.set(path, cleanPath(nameOf(member.linkname)));
    if (member.type !== "0" || LEGACY.test(path)) return;
    if (member.segments.length > 1 || (member.segments[0]?.length ?? 0) !== member.size_bytes) {
      throw new ImageError("unsupported", `the archive's ${path} is a file with holes`);
    }
    if (DOCUMENTS.has(path)) {
      if (member.size_bytes > LARGEST_DOCUMENT_BYTES)
        throw new ImageError("refused", `the archive's ${path} is too large`);
      this.#documents.set(path, Buffer.concat(await Array.fromAsync(member.stored())));
      return;
    }
    const named = `sha256:${/^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1]}`;
    const { digest } = await blobs.put(member.stored(), isDigest(named) ? { expect: named } : {});
    this.#blobs.set(path, digest);
  }

  document(path: string): Buffer | null {
    return this.#documents.get(path) ?? null;
  }

  /** The blob that a path stands for, also through links. @throws ImageError `corrupt` when it is not in the archive */
  blob(path: string): Digest {
    let at = cleanPath(path);
    for (let links = 0; links < MOST_LINKS; links++) {
      const digest = this.#blobs.get(at);
      if (digest) return digest;
      const next = this.#links.get(at);
      if (next === undefined) break;
      at = next;
    }
    throw new ImageError("corrupt", `the archive names ${JSON.stringify(path)}, which is not in it`);
  }
}
