import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { Digest } from "@mayfly/contract";
import type { Listed } from "../files/listing.ts";
import { LayerMemory } from "./layer-memory.ts";
import type { BuildCache, MadeLayer } from "./ports.ts";

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/**
 * A cache of one tenant in a folder of its own. A file that cannot be read counts as not there; whatever is killed when, a file is whole.
 * What a step made is a layer in the store, and may be gone there: whoever asks looks.
 */
export class DirectoryCache implements BuildCache {
  readonly memory = new LayerMemory();
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async open(dir: string): Promise<DirectoryCache> {
    for (const folder of ["steps", "listings"]) await mkdir(join(dir, folder), { recursive: true, mode: 0o700 });
    return new DirectoryCache(dir);
  }

  async step(key: string): Promise<MadeLayer | null> {
    return this.#read<MadeLayer>("steps", key);
  }

  async keepStep(key: string, layer: MadeLayer): Promise<void> {
    await this.#write("steps", key, layer);
  }

  async listing(layer: Digest): Promise<Listed[] | null> {
    return this.#read<Listed[]>("listings", nameOf(layer));
  }

  async keepListing(layer: Digest, list: readonly Listed[]): Promise<void> {
    await this.#write("listings", nameOf(layer), list);
  }

  /** Forgets what was not used since, then what was unused longest until the rest fits. */
  async prune({ unusedSince, mostBytes }: { readonly unusedSince: Date; readonly mostBytes: number }) {
    const found: { path: string; used: Date; bytes: number }[] = [];
    for (const folder of ["steps", "listings"]) {
      for (const name of await readdir(join(this.#dir, folder))) {
        const path = join(this.#dir, folder, name);
        const is = await stat(path).catch(() => null); // A build may have replaced it meanwhile.
        if (is) found.push({ path, used: is.mtime, bytes: is.blocks * 512 });
      }
    }
    let total = found.reduce((sum, { bytes }) => sum + bytes, 0);
    const pruned = { count: 0, freed_bytes: 0 };
    for (const { path, used, bytes } of found.sort((a, b) => a.used.getTime() - b.used.getTime())) {
      if (used >= unusedSince && total <= mostBytes) break;
      await rm(path, { force: true });
      total -= bytes;
      pruned.count += 1;
      pruned.freed_bytes += bytes;
    }
    return pruned;
  }

  async #read<T>(folder: string, name: string): Promise<T | null> {
    const path = join(this.#dir, folder, name);
    try {
      const value = JSON.parse((await unpack(await readFile(path))).toString()) as T;
      const now = new Date();
      await utimes(path, now, now);
      return value;
    } catch {
      return null;
    }
  }

  async #write(folder: string, name: string, value: unknown): Promise<void> {
    const path = join(this.#dir, folder, name);
    const making = `${path}.${randomUUID()}`;
    try {
      await writeFile(making, await pack(JSON.stringify(value)), { mode: 0o600 });
      await rename(making, path);
    } finally {
      await rm(making, { force: true });
    }
  }
}

const nameOf = (digest: Digest): string => digest.replace(":", "-");
