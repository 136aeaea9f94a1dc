import { type Pack, pack as startPack } from "tar-stream";
import { ImageError } from "../error.ts";
import { type FileEntry, type LayerEntry, refused } from "./entry.ts";

/** What ustar holds without a PAX header: short names in ASCII. Longer ones go into PAX, never into GNU's own extensions. */
const LONGEST_USTAR_NAME = 100;
const ASCII = /^[\x20-\x7e]*$/;

/**
 * Entries, in the order given, as a tar: ustar, PAX where needed, no user and group names, no times but the entries' own.
 * Equal entries give equal bytes. Holds one chunk at a time.
 */
export async function* tarOf(entries: Iterable<LayerEntry>): AsyncGenerator<Uint8Array> {
  const pack = startPack();
  const packing = packAll(pack, entries);
  packing.catch((error) => pack.destroy(error)); // The reader below is told; `packing` itself is awaited there.
  for await (const chunk of pack) yield chunk as Uint8Array;
  await packing;
}

async function packAll(pack: Pack, entries: Iterable<LayerEntry>): Promise<void> {
  for (const entry of entries) await packOne(pack, entry);
  pack.finalize();
}

async function packOne(pack: Pack, entry: LayerEntry): Promise<void> {
  const packed = Promise.withResolvers<void>();
  const body = pack.entry(header(entry), (error) => (error ? packed.reject(error) : packed.resolve()));
  if (entry.type === "file") {
    body.on("error", () => {}); // Comes out of `packed`.
    await writeContent(body, entry).catch((error) => body.destroy(error));
  }
  await packed.promise;
}

type Body = ReturnType<Pack["entry"]>;

async function writeContent(body: Body, entry: FileEntry): Promise<void> {
  let written = 0;
  for await (const chunk of chunksOf(entry)) {
    written += chunk.byteLength;
    if (written > entry.size_bytes) break;
    if (!body.write(chunk)) await drained(body);
  }
  if (written !== entry.size_bytes) {
    throw refused(entry.path, `${entry.size_bytes} bytes were announced and its content has another size`);
  }
  body.end(null);
}

export async function* chunksOf(entry: FileEntry): AsyncGenerator<Uint8Array> {
  if (entry.content instanceof Uint8Array) yield entry.content;
  else yield* entry.content();
}

/** Fails when whoever reads the tar has gone: no drain comes then. */
const drained = (body: Body) =>
  new Promise<void>((resolve, reject) => {
    const drain = () => settle(resolve);
    const close = () => settle(() => reject(new ImageError("io", "whoever read the layer went away")));
    const settle = (how: () => void) => {
      body.off("drain", drain);
      body.off("close", close);
      how();
    };
    body.on("drain", drain);
    body.on("close", close);
  });

function header(entry: LayerEntry) {
  const name = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const linkname = entry.type === "symlink" ? entry.target : null;
  return {
    name,
    type: entry.type,
    // tar-stream takes a mode of 0 for "not given", and masks what is above the permission bits.
    mode: entry.mode === 0 ? 0o10000 : entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: new Date(entry.mtime_s * 1000),
    size: entry.type === "file" ? entry.size_bytes : 0,
    uname: "",
    gname: "",
    ...(linkname === null ? {} : { linkname }),
    ...([name, linkname ?? ""].every(fitsUstar) ? {} : { pax: {} }),
  };
}

const fitsUstar = (name: string) => name.length <= LONGEST_USTAR_NAME && ASCII.test(name);
