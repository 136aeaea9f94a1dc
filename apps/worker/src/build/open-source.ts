import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { BuildJob, CodeSource } from "@mayfly/contract";

/** As much of a job as names an upload. */
type UploadedBuild = Pick<BuildJob, "build"> & { readonly source: CodeSource };

/**
 * The upload of a build. It lies in a folder that the unprivileged gateway writes, and we are root: the job does not say where, no link
 * is followed, and a file of anybody else (a hard link made one) is not read.
 * @throws Error when there is no such file, or another than was announced
 */
export async function openSource(uploads: string, job: UploadedBuild): Promise<Readable> {
  const path = join(uploads, job.build);
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    await requireUpload(handle, uploads, job);
  } catch (error) {
    await handle.close();
    throw error;
  }
  // The stream owns the handle and closes it. Given the number alone, both would close it, the second time perhaps a file of another call.
  return handle.createReadStream({ start: 0, end: Math.max(0, job.source.size_bytes - 1) });
}

async function requireUpload(handle: FileHandle, uploads: string, { build, source }: UploadedBuild) {
  const [found, folder] = await Promise.all([handle.stat(), stat(uploads)]);
  if (!found.isFile() || found.uid !== folder.uid)
    throw new Error(`the upload of ${build} is no file of the gateway's`);
  if (found.size !== source.size_bytes)
    throw new Error(`the upload of ${build} has ${found.size} bytes, ${source.size_bytes} were announced`);
}
