import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { isDigest } from "./digest.ts";
import { replaceFile, syncDirectory } from "./durable.ts";
import { errno, explain, ImageError } from "./error.ts";
import { formatTag, parseReference } from "./reference.ts";
import type { Scratch } from "./scratch.ts";

/** NAME_MAX (limits.h). */
const LONGEST_FILE_NAME = 255;

/** Names that move: one small file per tag, replaced as a whole, so that two processes never lose each other's tags. */
export class Tags {
  readonly #dir: string;
  readonly #scratch: Scratch;

  private constructor(dir: string, scratch: Scratch) {
    this.#dir = dir;
    this.#scratch = scratch;
  }

  static async open(dir: string, scratch: Scratch): Promise<Tags> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    return new Tags(dir, scratch);
  }

  async set(reference: string, digest: Digest): Promise<void> {
    const path = this.#path(reference);
    try {
      await replaceFile(path, `${digest}\n`, this.#scratch);
    } catch (error) {
      throw explain(`tagging ${digest} as ${reference}`, error);
    }
  }

  async get(reference: string): Promise<Digest | null> {
    return this.#read(this.#path(reference));
  }

  /** True when the tag was there. The image stays until gc. */
  async remove(reference: string): Promise<boolean> {
    const there = (await this.get(reference)) !== null;
    await rm(this.#path(reference), { force: true });
    await syncDirectory(this.#dir);
    return there;
  }

  /** `name:tag` → digest, sorted. */
  async all(): Promise<ReadonlyMap<string, Digest>> {
    const found = new Map<string, Digest>();
    for (const name of (await readdir(this.#dir)).sort()) {
      const digest = await this.#read(join(this.#dir, name));
      if (digest) found.set(decodeURIComponent(name), digest);
    }
    return found;
  }

  async #read(path: string): Promise<Digest | null> {
    let text: string;
    try {
      text = (await readFile(path, "utf8")).trim();
    } catch (error) {
      if (errno(error) === "ENOENT") return null;
      throw explain(`reading the tag in ${path}`, error);
    }
    if (!isDigest(text)) throw new ImageError("corrupt", `the tag in ${path} holds no digest; tag the image again`);
    return text;
  }

  #path(reference: string): string {
    const parsed = parseReference(reference);
    if (parsed.digest) throw new ImageError("refused", `${reference} names a digest, which cannot be tagged`);
    const name = encodeURIComponent(formatTag(parsed));
    if (name.length > LONGEST_FILE_NAME) throw new ImageError("refused", `the tag ${reference} is too long to store`);
    return join(this.#dir, name);
  }
}
