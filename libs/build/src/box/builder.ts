import { createReadStream, createWriteStream, mkdirSync, statSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { decodeJson, FRAME, FRAME_MAX_BYTES } from "@mayfly/contract";
import { Wire } from "@mayfly/runtime";
import { stop } from "esbuild";
import { type BuilderInit, type InstallRequest, LONGEST_MSG, MAX_FILES } from "../protocol.ts";
import type { BuilderRecord, BuilderResult } from "../protocol-schemas.ts";
import { assetsOf } from "./assets.ts";
import { type BundledFile, bundle } from "./bundle.ts";
import { findEntry } from "./entry.ts";
import { Failure, faultOf } from "./failure.ts";
import { Folder } from "./folder.ts";
import { dependenciesOf } from "./manifests.ts";
import { received } from "./received.ts";
import { unpack } from "./unpack.ts";

/**
 * The program in a builder box: takes a source from descriptor 3, unpacks it, bundles it, hands the files back. It reads what a user
 * wrote, so it runs where nothing is to be had: no network, no host, no privilege, capped memory, disk and time.
 */
const WORK = process.env.MAYFLY_WORK ?? "/tmp";
const MOST_WARNINGS = 20;
const wire = new Wire(3);

async function main(): Promise<void> {
  await rehearse();
  await record({ step: "box", status: "done", msg: `node ${process.version}` });
  const first = await wire.next();
  if (first?.type !== FRAME.INIT) throw new Error("the source was not announced");
  const init = decodeJson(first) as BuilderInit;
  const { folder, project } = await unpacked(init, received(wire), WORK, record);
  if (init.kind === "module") return handBack(null, await bundled(project, basename(init.file_name), folder, record));
  const install = init.installed ? null : dependenciesOf(project, folder);
  if (install !== null)
    return handBack(
      install,
      install.files.map((path) => onDisk(folder.root, path)),
    );
  const files = await bundled(project, findEntry(project, init.entry), folder, record);
  return handBack(null, [...files, ...assetsOf(project)]);
}

/** A module that nobody sent is bundled: esbuild runs from here on, and Node has compiled what a build needs. */
async function rehearse(): Promise<void> {
  const work = `${WORK}/rehearsal`;
  const source = [Buffer.from("export default (n: number): number => n;\n")];
  const init: BuilderInit = { kind: "module", file_name: "index.ts", entry: null, dir: null, installed: false };
  const untold = async () => {};
  mkdirSync(work);
  const { project, folder } = await unpacked(init, source, work, untold);
  await bundled(project, init.file_name, folder, untold);
  await rm(work, { recursive: true });
}

async function unpacked(
  init: BuilderInit,
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  work: string,
  tell: typeof record,
): Promise<{ folder: Folder; project: string }> {
  const upload = `${work}/upload`;
  await tell({ step: "receive", status: "start" });
  await pipeline(source, createWriteStream(upload));
  const { size } = await stat(upload);
  await tell({ step: "receive", status: "done", msg: `${size} bytes` });

  await tell({ step: "unpack", status: "start", msg: init.kind });
  const folder = new Folder(`${work}/src`, size);
  await unpack(upload, init, folder);
  // The disk is memory here.
  await rm(upload);
  await tell({ step: "unpack", status: "done" });
  return { folder, project: folder.project(init.dir) };
}

async function bundled(project: string, entry: string, folder: Folder, tell: typeof record): Promise<BundledFile[]> {
  await tell({ step: "bundle", status: "start", msg: entry });
  const { files, warnings } = await bundle(project, entry, folder);
  const more = warnings.length > MOST_WARNINGS ? [`and ${warnings.length - MOST_WARNINGS} more warnings`] : [];
  for (const msg of [...warnings.slice(0, MOST_WARNINGS).map((warning) => `warning: ${warning}`), ...more])
    await tell({ step: "bundle", status: "log", msg });
  const size = files.reduce((sum, file) => sum + file.size_bytes, 0);
  await tell({ step: "bundle", status: "done", msg: `${files.length} files, ${size} bytes` });
  return files;
}

async function handBack(install: InstallRequest | null, files: readonly BundledFile[]): Promise<void> {
  const listed = [...new Map(files.map((file) => [file.path, file])).values()];
  const result: BuilderResult = {
    install,
    files: listed.map(({ path, size_bytes, executable }) => ({ path, size_bytes, executable })),
  };
  const longest = FRAME_MAX_BYTES - 1024;
  if (listed.length > MAX_FILES || Buffer.byteLength(JSON.stringify(result)) > longest) {
    throw new Failure(`the function would have ${listed.length} files, the limit is ${MAX_FILES}`, {
      code: "body_too_large",
      hint: "leave out what it does not need; a Dockerfile has no such limit",
    });
  }
  await wire.json(FRAME.HEAD, result);
  for (const { content } of listed) {
    if (typeof content === "string")
      for await (const chunk of createReadStream(content)) await wire.send(FRAME.DATA, chunk as Buffer);
    else if (content.byteLength > 0) await wire.send(FRAME.DATA, content);
  }
  await wire.send(FRAME.END, new Uint8Array(0));
}

function onDisk(root: string, path: string): BundledFile {
  const content = join(root, path);
  return { path, content, size_bytes: statSync(content).size, executable: false };
}

const record = ({ msg, ...line }: BuilderRecord): Promise<void> =>
  wire.json(FRAME.RECORD, { ...line, ...(msg === undefined ? {} : { msg: msg.slice(0, LONGEST_MSG) }) });

try {
  await main();
} catch (error) {
  await wire.json(FRAME.ERROR, faultOf(error));
}
await stop();
await wire.finish();
process.exit(0);
