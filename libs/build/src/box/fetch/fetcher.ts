import { createWriteStream, mkdirSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { decodeJson, FRAME } from "@mayfly/contract";
import { Wire } from "@mayfly/runtime";
import type { FetchedHead, RemoteSource } from "../../fetch/protocol.ts";
import { faultOf } from "../failure.ts";
import { Folder } from "../folder.ts";
import { received } from "../received.ts";
import { unpackZip } from "../unpack-zip.ts";
import { checkOut, commitOf, headOf } from "./git.ts";
import { request } from "./http.ts";
import { tarOfFolder } from "./tar-of-folder.ts";

/**
 * The program in a fetcher box: brings something from outside and hands it on over descriptor 3. What it may reach is not its own affair:
 * the box's network refuses what is private, wherever a name or a redirect leads.
 */
const WORK = process.env.MAYFLY_WORK ?? "/tmp";
const CHECKOUT = `${WORK}/repository`;
const wire = new Wire(3);

async function main(): Promise<void> {
  const first = await wire.next();
  if (first?.type !== FRAME.INIT) throw new Error("nothing was asked for");
  const source = decodeJson(first) as RemoteSource;
  if (source.kind === "http") await overHttp(source.url);
  else if (source.kind === "git") await fromRepository(source);
  else await repacked();
  await wire.send(FRAME.END, new Uint8Array(0));
}

async function overHttp(url: string): Promise<void> {
  const answer = await request(url);
  const changed = Date.parse(answer.headers.get("last-modified") ?? "");
  const mtime_s = Number.isNaN(changed) ? null : Math.max(0, Math.floor(changed / 1000));
  await wire.json(FRAME.HEAD, { identity: answer.headers.get("etag"), mtime_s } satisfies FetchedHead);
  for await (const chunk of answer.body ?? []) await send(chunk);
}

async function fromRepository(source: Extract<RemoteSource, { kind: "git" }>): Promise<void> {
  const commit = await commitOf(source);
  // Whoever has it already stops here.
  await wire.json(FRAME.HEAD, headOf(commit));
  mkdirSync(CHECKOUT, { recursive: true });
  const { folder, mtime_s } = await checkOut(source, commit, CHECKOUT);
  const gitDir = source.keep_git_dir && source.folder === "";
  for await (const chunk of tarOfFolder(folder, { mtime_s, gitDir })) await send(chunk);
}

async function repacked(): Promise<void> {
  const upload = `${WORK}/upload`;
  await pipeline(received(wire), createWriteStream(upload));
  const folder = new Folder(`${WORK}/src`, statSync(upload).size);
  await unpackZip(upload, folder);
  folder.checkLinks();
  await wire.json(FRAME.HEAD, { identity: null, mtime_s: null } satisfies FetchedHead);
  for await (const chunk of tarOfFolder(folder.root, { mtime_s: 0, gitDir: true })) await send(chunk);
}

const send = (chunk: Uint8Array): Promise<void> | undefined =>
  chunk.byteLength > 0 ? wire.send(FRAME.DATA, chunk) : undefined;

try {
  await main();
} catch (error) {
  await wire.json(FRAME.ERROR, faultOf(error));
}
await wire.finish();
process.exit(0);
