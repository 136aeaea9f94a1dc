import type { Readable } from "node:stream";
import { decodeJson, encodeFrame, encodeJson, FRAME, FRAME_MAX_BYTES } from "@mayfly/contract";
import type { ImageStore, Layer, LayerEntry } from "@mayfly/image";
import { type BuilderInit, BuilderRecord, BuilderResult, MAX_OUTPUT_BYTES } from "./protocol.ts";
import type { Records } from "./records.ts";
import { type BoxSession, BuildStopped, Conversation } from "./session.ts";

/** The same for everybody, so that the same source gives the same layer. */
const MTIME_S = Date.UTC(2026, 0, 1) / 1000;

/** Has a builder box turn a source into files, and makes a layer of them. @throws BuildStopped */
export async function makeLayer(
  session: BoxSession,
  init: BuilderInit,
  source: Readable,
  store: ImageStore,
  records: Records,
): Promise<{ layer: Layer; size_bytes: number }> {
  const talk = new Conversation(session, (value) => pass(value, records));
  const sending = sendSource(session, init, source);
  // A box that ends early closes its side: what it said before is the reason, not our failed write.
  sending.catch(() => {});
  const head = await talk.next();
  if (head.type !== FRAME.HEAD) throw nonsense();
  const result = BuilderResult.safeParse(decodeJson(head));
  if (!result.success) throw nonsense();
  const size_bytes = result.data.files.reduce((sum, file) => sum + file.size_bytes, 0);
  if (size_bytes > MAX_OUTPUT_BYTES) {
    throw new BuildStopped({
      code: "body_too_large",
      message: `the bundle has ${size_bytes} bytes, the limit is ${MAX_OUTPUT_BYTES}`,
    });
  }
  const bytes = await receive(talk, size_bytes);
  await sending;
  records.start("layer");
  const layer = await store.addLayer(entries(result.data, bytes), { compression: "gzip" });
  records.done("layer", layer.digest);
  return { layer, size_bytes };
}

async function sendSource(session: BoxSession, init: BuilderInit, source: Readable): Promise<void> {
  await session.send(encodeJson(FRAME.INIT, init));
  for await (const chunk of source as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.byteLength; at += FRAME_MAX_BYTES)
      await session.send(encodeFrame(FRAME.DATA, chunk.subarray(at, at + FRAME_MAX_BYTES)));
  }
  await session.send(encodeFrame(FRAME.END, new Uint8Array(0)));
}

async function receive(talk: Conversation, size: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let got = 0;
  for (let frame = await talk.next(); frame.type !== FRAME.END; frame = await talk.next()) {
    if (frame.type !== FRAME.DATA || got + frame.payload.byteLength > size) throw nonsense();
    parts.push(frame.payload);
    got += frame.payload.byteLength;
  }
  if (got !== size) throw nonsense();
  return Buffer.concat(parts, size);
}

/** Plain files below /app, owned by root and readable by all: what the function can read it cannot change. */
function entries(result: BuilderResult, bytes: Buffer): LayerEntry[] {
  const root = { uid: 0, gid: 0, mtime_s: MTIME_S };
  const dirs = new Set(result.files.flatMap(({ path }) => parents(`app/${path}`)));
  let at = 0;
  const files = result.files.map(({ path, size_bytes }): LayerEntry => {
    const content = bytes.subarray(at, at + size_bytes);
    at += size_bytes;
    return { type: "file", path: `app/${path}`, mode: 0o644, ...root, size_bytes, content };
  });
  return [...[...dirs].map((path): LayerEntry => ({ type: "directory", path, mode: 0o755, ...root })), ...files];
}

function parents(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
}

function pass(value: unknown, records: Records): void {
  const record = BuilderRecord.safeParse(value);
  if (!record.success) return;
  const { step, status, msg } = record.data;
  if (status === "start") records.start(step, msg);
  else if (status === "done") records.done(step, msg);
  else records.log(step, msg ?? "");
}

const nonsense = () => new BuildStopped({ code: "internal", message: "the builder box spoke out of turn" });
