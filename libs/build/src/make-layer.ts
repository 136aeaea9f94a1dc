import { encodeFrame, encodeJson, FRAME, FRAME_MAX_BYTES } from "@mayfly/contract";
import type { FileEntry, ImageStore, Layer, LayerEntry } from "@mayfly/image";
import { FUNCTION_USER, MODULE_PATH } from "@mayfly/runtime";
import { Conversation } from "./conversation.ts";
import { type Bounds, BuildStopped, readFault } from "./fault.ts";
import { type BuilderInit, MAX_OUTPUT_BYTES, SOURCE_FOLDER } from "./protocol.ts";
import { BuilderRecord, BuilderResult } from "./protocol-schemas.ts";
import type { Records } from "./records.ts";
import type { BoxSession } from "./session.ts";

/** The same for everybody, so that the same source gives the same layer. */
const MTIME_S = Date.UTC(2026, 0, 1) / 1000;

/** Files of a box that are no more in all are held in memory; others are on the disk until they are in their layer. */
const HELD_BYTES = 1024 * 1024;

/** What a box gets: what is wanted of it, and bytes. */
interface Sent {
  readonly init: object;
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface Source extends Sent {
  readonly init: BuilderInit;
}

/** A layer of what a builder box made of a source: what the function is, or what says which dependencies it wants first. */
export interface Made {
  readonly layer: Layer;
  readonly size_bytes: number;
  /** Of the module alone. */
  readonly module_bytes: number;
  readonly install: BuilderResult["install"];
}

/**
 * Has a builder box turn a source into files, and makes a layer of them while they come.
 * @throws BuildStopped; Error when the source cannot be read
 */
export async function makeLayer(
  session: BoxSession,
  bounds: Bounds,
  source: Source,
  store: ImageStore,
  records: Records,
): Promise<Made> {
  const onRecord = (value: unknown) => pass(value, records);
  const talk = new Conversation(session, { phase: "bundle", bounds, onRecord, readFault });
  const sending = send(session, source);
  const { install, files } = await Promise.race([announced(talk), sending.then(() => new Promise<never>(() => {}))]);
  const size_bytes = files.reduce((sum, file) => sum + file.size_bytes, 0);
  if (size_bytes > MAX_OUTPUT_BYTES) {
    throw new BuildStopped({
      code: "body_too_large",
      message: `the bundle has ${size_bytes} bytes, the limit is ${MAX_OUTPUT_BYTES}`,
    });
  }
  const place = install === null ? FUNCTION_FILES : INSTALLED_FILES;
  const step = install === null ? "layer" : "manifests";
  records.start(step);
  const layer = await store.addLayer(receivedFiles(files, place, talk), { compression: "gzip" });
  records.done(step, layer.digest);
  const module = files.find(({ path }) => `/${FUNCTION_FILES.folder}/${path}` === MODULE_PATH);
  return { layer, size_bytes, module_bytes: module?.size_bytes ?? 0, install };
}

/** Sends the source. A box that ends early closes its side: what it said before is the reason then, and not our failed write. */
export async function send(session: BoxSession, { init, bytes }: Sent): Promise<void> {
  let taken = true;
  const frame = async (bytes: Uint8Array) => {
    await session.send(bytes).catch(() => {
      taken = false;
    });
  };
  await frame(encodeJson(FRAME.INIT, init));
  for await (const chunk of bytes) {
    for (let at = 0; taken && at < chunk.byteLength; at += FRAME_MAX_BYTES)
      await frame(encodeFrame(FRAME.DATA, chunk.subarray(at, at + FRAME_MAX_BYTES)));
    if (!taken) return;
  }
  await frame(encodeFrame(FRAME.END, new Uint8Array(0)));
}

async function announced(talk: Conversation): Promise<BuilderResult> {
  const head = await talk.next();
  const result = BuilderResult.safeParse(talk.json(head));
  if (head.type !== FRAME.HEAD || !result.success) throw talk.nonsense();
  return result.data;
}

/** Whose they are: what root owns, the function can read and not change. */
interface Place {
  readonly folder: string;
  readonly owner: number;
}
const FUNCTION_FILES: Place = { folder: "app", owner: 0 };
/** Where a builder box unpacks a source that has dependencies: npm, which is nobody, writes there. */
const INSTALLED_FILES: Place = { folder: SOURCE_FOLDER.slice(1), owner: FUNCTION_USER.uid };

/** Files that a box sends next, below a folder. @throws BuildStopped */
export async function* receivedFiles(
  files: readonly { readonly path: string; readonly size_bytes: number; readonly executable?: boolean }[],
  { folder, owner }: Place,
  talk: Conversation,
): AsyncGenerator<LayerEntry> {
  const attributes = { uid: owner, gid: owner, mtime_s: MTIME_S };
  const isSmall = files.reduce((sum, file) => sum + file.size_bytes, 0) <= HELD_BYTES;
  const dirs = new Set(files.flatMap(({ path }) => parents(`${folder}/${path}`)));
  for (const path of dirs) yield { type: "directory", path, mode: 0o755, ...attributes };
  const body = new Body(talk);
  for (const { path, size_bytes, executable } of files) {
    const file: Omit<FileEntry, "content"> = {
      type: "file",
      path: `${folder}/${path}`,
      mode: executable ? 0o755 : 0o644,
      ...attributes,
      size_bytes,
    };
    if (isSmall) yield { ...file, content: Buffer.concat(await Array.fromAsync(body.take(size_bytes))) };
    else yield { ...file, content: () => body.take(size_bytes), once: true };
  }
  await body.end();
}

/** The DATA frames of the answer, cut where a file ends and the next begins. */
class Body {
  readonly #talk: Conversation;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(talk: Conversation) {
    this.#talk = talk;
  }

  async *take(size: number): AsyncGenerator<Uint8Array> {
    for (let missing = size; missing > 0; ) {
      if (this.#rest.byteLength === 0) {
        const frame = await this.#talk.next();
        if (frame.type !== FRAME.DATA) throw this.#talk.nonsense();
        this.#rest = frame.payload;
      }
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.byteLength);
      missing -= part.byteLength;
      yield part;
    }
  }

  async end(): Promise<void> {
    if (this.#rest.byteLength > 0 || (await this.#talk.next()).type !== FRAME.END) throw this.#talk.nonsense();
  }
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
