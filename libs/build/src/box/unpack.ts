import { copyFile } from "node:fs/promises";
import { basename } from "node:path";
import type { BuilderInit } from "../protocol.ts";
import type { Folder } from "./folder.ts";

/** Unpacks an upload into the folder; a module alone needs no reader of archives. @throws Failure naming the entry that cannot be taken */
export async function unpack(upload: string, { kind, file_name }: BuilderInit, folder: Folder): Promise<void> {
  if (kind === "module") await copyFile(upload, folder.place(basename(file_name)));
  else if (kind === "zip") await (await import("./unpack-zip.ts")).unpackZip(upload, folder);
  else await (await import("./unpack-tar.ts")).unpackTar(upload, kind === "tar.gz", folder);
  folder.checkLinks();
}
