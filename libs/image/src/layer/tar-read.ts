import { type Extract, type Header, extract as startExtract } from "tar-stream";
import { ImageError } from "../error.ts";
import { checkEntry, type LayerEntry, refused, unsupported } from "./entry.ts";

/** An entry of tar-stream: its header, and its content as a stream. */
type Body = Extract extends AsyncIterable<infer Source> ? Source : never;

/** PAX records that are either read here or say nothing that a layer keeps. Any other one would be lost: it is refused. */
const PAX_KNOWN = new Set("path linkpath size uid gid mtime atime ctime uname gname comment".split(" "));

/**
 * The entries of an uncompressed tar in the tar's order, each checked. The content of a file can be read once, before the next entry is
 * asked for; what is left unread is skipped. Fails with what the source failed with, and then or when left early ends the source.
 * @throws ImageError `unsupported` for what a layer cannot carry, `refused` for unsafe paths, `corrupt` when it is no tar.
 */
export async function* entriesOfTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<LayerEntry> {
  const extract = startExtract();
  const feeding = feed(source, extract);
  feeding.catch((error) => extract.destroy(error)); // Whoever reads the entries is told.
  try {
    for await (const body of extract) {
      const entry = toEntry(body.header, body);
      if (entry) yield entry;
      body.resume();
    }
    await feeding;
  } catch (error) {
    throw corrupt(error);
  } finally {
    extract.destroy();
  }
}

function corrupt(error: unknown): ImageError {
  if (error instanceof ImageError) return error;
  const answer = error instanceof Error ? error.message : String(error);
  return new ImageError("corrupt", `reading a layer's tar: ${answer}`, error);
}

async function feed(source: AsyncIterable<Uint8Array>, extract: Extract): Promise<void> {
  for await (const chunk of source) {
    if (extract.destroyed) return;
    // An empty chunk would wait for bytes that were never written.
    if (chunk.byteLength > 0 && !extract.write(chunk)) await drainedOrClosed(extract);
  }
  extract.end(null);
}

const drainedOrClosed = (extract: Extract) =>
  new Promise<void>((resolve) => {
    const done = () => {
      extract.off("drain", done);
      extract.off("close", done);
      resolve();
    };
    extract.on("drain", done);
    extract.on("close", done);
    if (extract.destroyed) done();
  });

function toEntry(header: Header, body: Body): LayerEntry | null {
  const path = header.name.replace(/^(\.\/+)+/, "").replace(/\/+$/, "");
  const pax = (header.pax ?? {}) as Readonly<Record<string, string>>;
  for (const key of Object.keys(pax)) {
    if (!PAX_KNOWN.has(key)) throw unsupported(path, `it has the PAX record ${key}`);
  }
  const attributes = {
    path,
    mode: header.mode & 0o7777,
    uid: Number(pax.uid ?? header.uid),
    gid: Number(pax.gid ?? header.gid),
    mtime_s: Math.floor(Number(pax.mtime ?? header.mtime.getTime() / 1000)),
  };
  if ((path === "" || path === ".") && header.type === "directory") return acceptRoot(attributes);
  const entry = withType(header, attributes, body);
  checkEntry(entry);
  return entry;
}

function withType(header: Header, attributes: Omit<LayerEntry, "type">, body: Body): LayerEntry {
  switch (header.type) {
    case "file":
    case "contiguous-file":
      return { ...attributes, type: "file", size_bytes: header.size, content: () => bytesOf(body), once: true };
    case "directory":
      return { ...attributes, type: "directory" };
    case "symlink":
      return { ...attributes, type: "symlink", target: header.linkname ?? "" };
    default:
      throw unsupported(
        attributes.path,
        `it is a ${header.type === "link" ? "hard link" : (header.type ?? "type unknown to tar")}`,
      );
  }
}

/** The root of every layer is root's with mode 0755, so an entry that says the same says nothing. */
function acceptRoot(attributes: Omit<LayerEntry, "type">): null {
  if (attributes.mode === 0o755 && attributes.uid === 0 && attributes.gid === 0) return null;
  throw refused("/", "the root of a layer is always 0:0 with mode 0755");
}

async function* bytesOf(body: Body): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk as Uint8Array;
  } catch (error) {
    throw corrupt(error);
  }
}
