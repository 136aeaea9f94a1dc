import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { decodeJson, FRAME, FRAME_MAX_BYTES } from "@mayfly/contract";
import { Wire } from "@mayfly/runtime";
import { stop } from "esbuild";
import type { BuilderInit, BuilderRecord, BuilderResult } from "../protocol.ts";
import { bundle } from "./bundle.ts";
import { findEntry } from "./entry.ts";
import { Failure } from "./failure.ts";
import { Folder } from "./folder.ts";
import { unpack } from "./unpack.ts";

/**
 * The program in a builder box: takes a source from descriptor 3, unpacks it, bundles it, hands the files back. It reads what a user
 * wrote, so it runs where nothing is to be had: no network, no host, no privilege, capped memory, disk and time.
 */
const WORK = process.env.MAYFLY_WORK ?? "/tmp";
const wire = new Wire(3);

async function main(): Promise<void> {
  await record({ step: "box", status: "done", msg: `node ${process.version}` });
  const first = await wire.next();
  if (first?.type !== FRAME.INIT) throw new Error("the source was not announced");
  const init = decodeJson(first) as BuilderInit;
  const upload = `${WORK}/upload`;
  await receive(upload);

  const folder = new Folder(`${WORK}/src`);
  await record({ step: "unpack", status: "start", msg: init.kind });
  await unpack(upload, init.kind, init.file_name, folder);
  const project = folder.project();
  const entry = findEntry(project, init.entry);
  await record({ step: "unpack", status: "done", msg: `entry ${entry}` });

  await record({ step: "bundle", status: "start" });
  const { files, warnings } = await bundle(project, entry, folder);
  for (const warning of warnings) await record({ step: "bundle", status: "log", msg: `warning: ${warning}` });
  const size = files.reduce((sum, file) => sum + file.contents.byteLength, 0);
  await record({ step: "bundle", status: "done", msg: `${files.length} files, ${size} bytes` });

  const result: BuilderResult = {
    files: files.map(({ path, contents }) => ({ path, size_bytes: contents.byteLength })),
  };
  await wire.json(FRAME.HEAD, result);
  for (const { contents } of files) {
    for (let at = 0; at < contents.byteLength; at += FRAME_MAX_BYTES)
      await wire.send(FRAME.DATA, contents.subarray(at, at + FRAME_MAX_BYTES));
  }
  await wire.send(FRAME.END, new Uint8Array(0));
}

const record = (line: BuilderRecord): Promise<void> => wire.json(FRAME.RECORD, line);

async function receive(path: string): Promise<void> {
  const file = createWriteStream(path);
  for (let frame = await wire.next(); frame?.type !== FRAME.END; frame = await wire.next()) {
    if (frame?.type !== FRAME.DATA) throw new Error("the source broke off");
    if (!file.write(Buffer.from(frame.payload)))
      await new Promise<void>((resolve) => file.once("drain", () => resolve()));
  }
  file.end();
  await finished(file);
}

try {
  await main();
} catch (error) {
  const fault =
    error instanceof Failure ? error.fault : { code: "build_failed" as const, message: (error as Error).message };
  if (!(error instanceof Failure)) process.stderr.write(`${(error as Error).stack}\n`);
  await wire.json(FRAME.ERROR, fault);
}
await stop();
await wire.finish();
process.exit(0);
