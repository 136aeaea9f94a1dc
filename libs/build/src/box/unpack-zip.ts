import type { Readable } from "node:stream";
import yauzl, { type Entry } from "yauzl";
import { Failure } from "./failure.ts";
import { type Folder, quoted } from "./folder.ts";
import { placeDir, placeFile, placeSymlink } from "./place-entry.ts";

/** File types in the upper half of the external attributes, when the archive was made on a Unix (APPNOTE 4.4.15, stat(2)). */
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const LONGEST_TARGET = 4096;

/** @throws Failure naming the entry that cannot be taken, or saying that this is no zip */
export async function unpackZip(upload: string, folder: Folder): Promise<void> {
  const zip = await yauzl.openPromise(upload, { lazyEntries: true, autoClose: false }).catch(unreadable);
  const read = async (entry: Entry) => {
    const stream = await zip.openReadStreamPromise(entry);
    // It runs already: an error before anybody listens would end the process. Who reads it later gets it all the same.
    return stream.on("error", () => {});
  };
  try {
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      const type = (entry.externalFileAttributes >>> 16) & S_IFMT;
      if (name.endsWith("/")) placeDir(folder, name);
      else if (type === S_IFLNK) await placeSymlink(folder, name, await target(name, await read(entry)));
      else if (type === S_IFREG || type === 0) await placeFile(folder, name, await read(entry));
      else if (type === S_IFDIR) placeDir(folder, name);
      else
        throw new Failure(`the archive holds ${quoted(name)}, a special file; files, folders and links can be taken`);
    }
  } catch (error) {
    unreadable(error as Error);
  } finally {
    zip.close();
  }
}

function unreadable(error: Error): never {
  if (error instanceof Failure) throw error;
  throw new Failure(`the zip cannot be read: ${error.message}`, { code: "unsupported_source" });
}

/** What a symbolic link holds is its target. */
async function target(name: string, stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > LONGEST_TARGET)
      throw new Failure(`the link ${quoted(name)} has a target of more than ${LONGEST_TARGET} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
