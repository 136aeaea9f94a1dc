import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import { basename } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import yauzl from "yauzl";
import { Failure } from "./failure.ts";
import type { Folder } from "./folder.ts";

/** Unpacks an upload into the folder. @throws Failure naming the entry that cannot be taken */
export async function unpack(
  upload: string,
  kind: "module" | "tar" | "tar.gz" | "zip",
  fileName: string,
  folder: Folder,
): Promise<void> {
  if (kind === "module") await copyFile(upload, folder.place(basename(fileName)));
  else if (kind === "zip") await unpackZip(upload, folder);
  else await unpackTar(upload, kind === "tar.gz", folder);
}

async function unpackTar(upload: string, gzip: boolean, folder: Folder): Promise<void> {
  const archive = extract();
  const source = createReadStream(upload);
  const feeding = gzip ? pipeline(source, createGunzip(), archive) : pipeline(source, archive);
  feeding.catch(() => {});
  try {
    for await (const entry of archive) {
      const { name, type, linkname } = entry.header;
      if (type === "directory") makeDir(folder, name);
      else if (type === "file" || type === "contiguous-file")
        await writeFile(folder, name, entry as unknown as Readable);
      else if (type === "symlink") folder.link(await vacant(folder.place(name)), linkname ?? "");
      else throw new Failure(`the archive holds ${name}, a ${type}; files, folders and symbolic links can be taken`);
      entry.resume();
    }
    await feeding;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`the archive cannot be read: ${(error as Error).message}`, { code: "unsupported_source" });
  }
}

function makeDir(folder: Folder, name: string): void {
  const path = folder.place(name);
  if (path !== folder.root) mkdirSync(path, { recursive: true });
}

async function writeFile(folder: Folder, name: string, content: Readable): Promise<void> {
  const path = await vacant(folder.place(name));
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        folder.count(chunk.byteLength);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  // `wx` does not follow a link that lies where the file belongs.
  await pipeline(content, counted, createWriteStream(path, { flags: "wx" }));
}

/** The last entry of a name wins, and never writes through what an earlier one left there. */
async function vacant(path: string): Promise<string> {
  await rm(path, { force: true, recursive: true });
  return path;
}

const S_IFMT = 0o170000;
const S_IFLNK = 0o120000;

async function unpackZip(upload: string, folder: Folder): Promise<void> {
  const zip = await yauzl.openPromise(upload, { lazyEntries: true, autoClose: false }).catch((error: Error) => {
    throw new Failure(`the zip cannot be read: ${error.message}`, { code: "unsupported_source" });
  });
  try {
    for await (const entry of zip.eachEntry()) {
      const mode = (entry.externalFileAttributes >>> 16) & S_IFMT;
      if (entry.fileName.endsWith("/")) makeDir(folder, entry.fileName);
      else {
        const content = Readable.from(await zip.openReadStreamPromise(entry));
        if (mode === S_IFLNK) folder.link(await vacant(folder.place(entry.fileName)), (await text(content)).trim());
        else await writeFile(folder, entry.fileName, content);
      }
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`the zip cannot be read: ${(error as Error).message}`, { code: "unsupported_source" });
  } finally {
    zip.close();
  }
}

async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString().slice(0, 4096);
}
