import { copyFileSync, createWriteStream, lstatSync, mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Failure } from "./failure.ts";
import { type Folder, quoted } from "./folder.ts";

/** One entry of an archive, of whatever format, in its place in the folder. @throws Failure naming what cannot be taken */

export function placeDir(folder: Folder, name: string): void {
  const path = folder.place(name);
  if (path === folder.root) return;
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) mkdirSync(path);
  else if (!there.isDirectory()) throw new Failure(`the archive holds ${quoted(name)} twice, once as a folder`);
}

export async function placeFile(folder: Folder, name: string, content: Readable): Promise<void> {
  const path = await vacant(folder, name);
  // `wx` does not follow a link that lies where the file belongs.
  await pipeline(
    content,
    counted((bytes) => folder.count(bytes)),
    createWriteStream(path, { flags: "wx" }),
  );
}

export async function placeSymlink(folder: Folder, name: string, target: string): Promise<void> {
  folder.link(await vacant(folder, name), target);
}

/** A hard link becomes a copy: `target` names an entry of the archive that came before. */
export async function placeHardLink(folder: Folder, name: string, target: string): Promise<void> {
  const from = folder.place(target);
  const stat = lstatSync(from, { throwIfNoEntry: false });
  if (!stat?.isFile())
    throw new Failure(`the archive holds ${quoted(name)}, a hard link to no file of it: ${quoted(target)}`);
  const path = folder.place(name);
  if (path === from) return;
  folder.count(stat.size);
  copyFileSync(from, await vacant(folder, name));
}

/** Passes bytes on and counts them. */
export const counted = (count: (bytes: number) => void): Transform =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        count(chunk.byteLength);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });

/** The last entry of a name wins, and never writes through what an earlier one left there. */
async function vacant(folder: Folder, name: string): Promise<string> {
  const path = folder.place(name);
  if (path === folder.root) throw new Failure(`the archive holds ${quoted(name)}, which is no name for a file`);
  await rm(path, { force: true, recursive: true });
  return path;
}
