import { createReadStream, createWriteStream, statSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ImageResults, TaggedImage } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { CliError, EXIT } from "../../failure.ts";
import { json, note, pour } from "../../output.ts";
import { follow } from "./follow.ts";
import { imagePath } from "./path.ts";

export async function save(
  client: Client,
  references: readonly string[],
  flags: { readonly output?: string; readonly format?: string },
): Promise<void> {
  const [first, ...others] = references as readonly [string, ...string[]];
  const query = new URLSearchParams(others.map((reference): [string, string] => ["also", reference]));
  if (flags.format !== undefined) query.set("format", flags.format);
  await writeArchive(client, `${imagePath(first)}/archive?${query}`, flags.output);
}

export function exportRoot(client: Client, reference: string, flags: { readonly output?: string }): Promise<void> {
  return writeArchive(client, `${imagePath(reference)}/rootfs`, flags.output);
}

/** To a file, which is there whole or not at all, or to standard output. */
export async function writeArchive(client: Client, path: string, output: string | undefined): Promise<void> {
  if (output === undefined && process.stdout.isTTY) {
    throw new CliError("an archive is not for a terminal", { exit: EXIT.usage, hint: "give a file with -o" });
  }
  const chunks = client.chunks(await client.ok(path));
  if (output === undefined) return pour(chunks);
  const part = `${output}.part`;
  try {
    await pipeline(chunks, createWriteStream(part));
    await rename(part, output);
  } catch (error) {
    await rm(part, { force: true });
    if ((error as NodeJS.ErrnoException).path === undefined) throw error;
    throw new CliError(`cannot write ${output}: ${(error as Error).message}`, { exit: EXIT.usage });
  }
}

export async function load(client: Client, path: string, flags: { readonly json?: boolean }): Promise<void> {
  const init = { method: "POST", ...archiveOf(path) };
  const { images } = await follow<ImageResults["load"]>(client, "/v1/images", init, flags);
  for (const { digest, tags } of images) note(`${tags.join(", ") || "an image without a name"} is here: ${digest}`);
  if (flags.json) json(images);
}

export async function importRoot(
  client: Client,
  path: string,
  reference: string,
  flags: { readonly change?: readonly string[]; readonly message?: string; readonly json?: boolean },
): Promise<void> {
  const query = new URLSearchParams((flags.change ?? []).map((text): [string, string] => ["change", text]));
  if (flags.message !== undefined) query.set("message", flags.message);
  const init = { method: "PUT", ...archiveOf(path) };
  const imported = await follow<TaggedImage>(client, `${imagePath(reference)}/rootfs?${query}`, init, flags);
  note(`${imported.reference} is here: ${imported.digest}`);
  if (flags.json) json(imported);
}

/** @throws CliError when there is no such file */
function archiveOf(path: string): RequestInit {
  if (path !== "-" && !statSync(path, { throwIfNoEntry: false })?.isFile())
    throw new CliError(`there is no file ${path}`, {
      exit: EXIT.usage,
      hint: "name an archive, or - for standard input",
    });
  const source = path === "-" ? process.stdin : createReadStream(path);
  const headers = { "content-type": "application/x-tar" };
  return { headers, body: Readable.toWeb(source) as unknown as ReadableStream, duplex: "half" } as RequestInit;
}
