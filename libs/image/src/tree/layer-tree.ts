import type { Writable } from "node:stream";
import { coalesced } from "../bytes/coalesce.ts";
import { ImageError } from "../error.ts";
import type { LayerEntry } from "../layer/entry.ts";
import { chunksOf } from "../layer/to-tar.ts";
import { TreeProcess } from "./process.ts";
import { encodeEnd, encodeRecord, RecordReader } from "./record.ts";

/**
 * The files of layers, reached only through the program layer-tree: it sees one tree and the layers below it and nothing else of the
 * host, and Node can neither hold on to a folder (openat2) nor read attributes. All paths are absolute, layers topmost first.
 */
export class LayerTree {
  readonly #program: string;

  constructor(program: string) {
    this.#program = program;
  }

  /**
   * Makes entries, in their order, in the empty folder `tree`. What was made outlives this process, and a power cut after `sync`.
   * Names that go through links lead to where they lead inside of the layers; a folder that is only implied looks as `lower` shows it.
   * @throws ImageError, or what the entries threw; `tree` is then to be thrown away.
   */
  async unpack(
    tree: string,
    lower: readonly string[],
    entries: AsyncIterable<LayerEntry>,
    wallMs: number,
  ): Promise<void> {
    const child = new TreeProcess(this.#program, ["unpack", tree, ...lower], "unpacking a layer");
    const tooLong = new ImageError("refused", `unpacking a layer took longer than ${wallMs} ms`);
    const clock = setTimeout(() => child.kill(tooLong), wallMs);
    try {
      for await (const chunk of coalesced(recordsOf(entries))) {
        if (!child.stdin.writable) break;
        if (!child.stdin.write(chunk)) await drained(child.stdin);
      }
      child.stdin.end();
      child.stdout.resume();
      const failure = await child.ended;
      if (failure) throw failure;
    } catch (error) {
      child.kill(new ImageError("io", "unpacking a layer: its entries could not be read"));
      await child.ended;
      throw error;
    } finally {
      clearTimeout(clock);
    }
  }

  /**
   * The entries of a tree, the root first, each folder before what is in it, names in the order of their bytes; sockets are left out.
   * A file's content is to be read before the next entry is asked for. What overlayfs marks as opaque comes out as such where `lower`
   * has a folder there.
   */
  walk(tree: string, lower: readonly string[]): AsyncGenerator<LayerEntry> {
    return entriesOf(new TreeProcess(this.#program, ["walk", tree, ...lower], `reading the tree ${tree}`));
  }

  /** The entries of layers as a box shows them: without whiteouts. */
  merge(layers: readonly string[]): AsyncGenerator<LayerEntry> {
    return entriesOf(new TreeProcess(this.#program, ["merge", ...layers], "reading the layers together"));
  }

  /** Empties a folder, whatever names and depths are in it. */
  empty(tree: string): Promise<void> {
    return this.#run("remove", tree, `removing ${tree}`);
  }

  /** Waits until the file system of a folder is on disk: all of it, for an fsync of each file would wait for the journal each time. */
  sync(tree: string): Promise<void> {
    return this.#run("sync", tree, `writing ${tree} to disk`);
  }

  async #run(verb: string, tree: string, tried: string): Promise<void> {
    const child = new TreeProcess(this.#program, [verb, tree], tried);
    child.stdin.end();
    child.stdout.resume();
    const failure = await child.ended;
    if (failure) throw failure;
  }
}

async function* recordsOf(entries: AsyncIterable<LayerEntry>): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    yield encodeRecord(entry);
    if (entry.type !== "file") continue;
    let left = entry.stored ? entry.stored.segments.reduce((sum, { length }) => sum + length, 0) : entry.size_bytes;
    for await (const chunk of entry.stored ? entry.stored.bytes() : chunksOf(entry)) {
      left -= chunk.byteLength;
      if (left < 0) break;
      yield chunk;
    }
    if (left !== 0) throw new ImageError("refused", `"${entry.path}" has another size than was announced`);
  }
  yield encodeEnd();
}

async function* entriesOf(child: TreeProcess): AsyncGenerator<LayerEntry> {
  child.stdin.end();
  const reader = new RecordReader(child.stdout);
  try {
    for (let entry = await reader.next(); entry !== null; entry = await reader.next()) yield entry;
  } catch (error) {
    child.stdout.destroy();
    throw (await child.ended) ?? error;
  } finally {
    child.kill(new ImageError("io", "nobody reads the tree any more"));
    await child.ended;
  }
}

/** Also when nothing will drain any more. */
const drained = (stream: Writable) =>
  new Promise<void>((resolve) => {
    const done = () => {
      for (const event of ["drain", "close"]) stream.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close"]) stream.on(event, done);
    if (stream.destroyed) done();
  });
