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
/** What a tag pointed at before is kept this far back. */
const MOST_FORMER = 16;

/** What a tag pointed at, and since when. */
export interface Tagged {
  readonly digest: Digest;
  readonly tagged_at: string | null;
}

/** A tag's file: the digest that it points at; then all that it ever pointed at, each once, the latest first. */
interface TagFile {
  readonly current: Digest;
  readonly log: readonly Tagged[];
}

/**
 * Names that move: one small file per tag, replaced as a whole, so that two processes never lose each other's tags.
 * Going back moves the name and leaves its log as it is, so going back again goes further back.
 */
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

  /** Points the tag at a digest, which comes first in its log then. */
  async set(reference: string, digest: Digest, now = new Date()): Promise<void> {
    const log = (await this.#read(this.#path(reference)).catch(ifDamaged))?.log ?? [];
    const older = log.filter((tagged) => tagged.digest !== digest).slice(0, MOST_FORMER);
    await this.#write(reference, { current: digest, log: [{ digest, tagged_at: now.toISOString() }, ...older] });
  }

  /** Points the tag at a digest of its log, which stays as it is. @throws ImageError `missing` */
  async goBack(reference: string, digest: Digest): Promise<void> {
    const log = await this.log(reference);
    if (!log.some((tagged) => tagged.digest === digest)) {
      throw new ImageError("missing", `${reference} never pointed at ${digest}`);
    }
    await this.#write(reference, { current: digest, log });
  }

  async #write(reference: string, file: TagFile): Promise<void> {
    try {
      await replaceFile(this.#path(reference), format(file), this.#scratch);
    } catch (error) {
      throw explain(`tagging ${file.current} as ${reference}`, error);
    }
  }

  async get(reference: string): Promise<Digest | null> {
    return (await this.#read(this.#path(reference)))?.current ?? null;
  }

  /** The latest first; one of them is what the tag points at. Empty when there is no such tag. */
  async log(reference: string): Promise<readonly Tagged[]> {
    return (await this.#read(this.#path(reference)))?.log ?? [];
  }

  /** What the tag pointed at before it pointed at what it points at now. @throws ImageError `missing` */
  async before(reference: string): Promise<Digest> {
    const file = await this.#read(this.#path(reference));
    if (!file) throw new ImageError("missing", `there is no tag ${reference}`);
    const at = file.log.findIndex(({ digest }) => digest === file.current);
    const older = file.log[at + 1];
    if (at === -1 || !older) throw new ImageError("missing", `${reference} pointed at nothing before ${file.current}`);
    return older.digest;
  }

  /** True when the tag was there. Its log goes with it; the image stays until gc. */
  async remove(reference: string): Promise<boolean> {
    const path = this.#path(reference);
    const there = await readFile(path).then(
      () => true,
      () => false,
    );
    await rm(path, { force: true });
    await syncDirectory(this.#dir);
    return there;
  }

  /** `name:tag` → digest, sorted. */
  async all(): Promise<ReadonlyMap<string, Digest>> {
    const found = new Map<string, Digest>();
    for (const [tag, file] of await this.#files()) found.set(tag, file.current);
    return found;
  }

  /** All that tags pointed at before and can be brought back to. */
  async former(): Promise<ReadonlySet<Digest>> {
    return new Set((await this.#files()).flatMap(([, { log }]) => log.map(({ digest }) => digest)));
  }

  async #files(): Promise<(readonly [string, TagFile])[]> {
    const files: (readonly [string, TagFile])[] = [];
    for (const name of (await readdir(this.#dir)).sort()) {
      const file = await this.#read(join(this.#dir, name));
      if (file) files.push([decodeURIComponent(name), file]);
    }
    return files;
  }

  async #read(path: string): Promise<TagFile | null> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (errno(error) === "ENOENT") return null;
      throw explain(`reading the tag in ${path}`, error);
    }
    const file = parse(text);
    if (!file) throw new ImageError("corrupt", `the tag in ${path} holds no digest; tag the image again`);
    return file;
  }

  #path(reference: string): string {
    const parsed = parseReference(reference);
    if (parsed.digest) throw new ImageError("refused", `${reference} names a digest, which cannot be tagged`);
    const name = encodeURIComponent(formatTag(parsed));
    if (name.length > LONGEST_FILE_NAME) throw new ImageError("refused", `the tag ${reference} is too long to store`);
    return join(this.#dir, name);
  }
}

const format = ({ current, log }: TagFile) =>
  `${[current, ...log.map(({ digest, tagged_at }) => `${digest} ${tagged_at ?? "-"}`)].join("\n")}\n`;

function parse(text: string): TagFile | null {
  const [current, ...lines] = text.trim().split("\n");
  if (!isDigest(current!)) return null;
  const log = lines.flatMap((line) => {
    const [digest, tagged_at] = line.split(" ");
    return isDigest(digest!) ? [{ digest, tagged_at: tagged_at && tagged_at !== "-" ? tagged_at : null }] : [];
  });
  return { current, log: log.length > 0 ? log : [{ digest: current, tagged_at: null }] };
}

/** A damaged tag is mended by setting it. */
function ifDamaged(error: unknown): null {
  if (error instanceof ImageError && error.reason === "corrupt") return null;
  throw error;
}
