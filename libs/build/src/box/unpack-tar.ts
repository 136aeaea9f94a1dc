import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { Failure } from "./failure.ts";
import { type Folder, quoted } from "./folder.ts";
import { placeDir, placeFile, placeHardLink, placeSymlink } from "./place-entry.ts";

/** @throws Failure naming the entry that cannot be taken, or saying that this is no tar */
export async function unpackTar(upload: string, gzip: boolean, folder: Folder): Promise<void> {
  const archive = extract();
  const source = createReadStream(upload);
  const feeding = gzip ? pipeline(source, createGunzip(), archive) : pipeline(source, archive);
  let broken: Error | null = null;
  feeding.catch((error: Error) => {
    broken = error;
  });
  try {
    for await (const entry of archive) {
      const { name, type, linkname } = entry.header;
      if (type === "directory") placeDir(folder, name);
      else if (type === "file" || type === "contiguous-file") await placeFile(folder, name, Readable.from(entry));
      else if (type === "symlink") await placeSymlink(folder, name, linkname ?? "");
      else if (type === "link") await placeHardLink(folder, name, linkname ?? "");
      else
        throw new Failure(
          `the archive holds ${quoted(name)}, a ${type ?? "thing of unknown type"}; files, folders and links can be taken`,
        );
      entry.resume();
    }
    await feeding;
  } catch (error) {
    if (error instanceof Failure) throw error;
    // An archive that broke off says why; the entry that was read from it knows only that there is no more.
    const { message } = broken ?? (error as Error);
    throw new Failure(`the archive cannot be read: ${message}`, { code: "unsupported_source" });
  }
}
