import {
  BoxReady,
  type BuildFault,
  CompiledFiles,
  type Contract,
  ErrorFrame,
  encodeJson,
  FRAME,
} from "@mayfly/contract";
import type { ImageStore, Layer } from "@mayfly/image";
import { COMPILED_PATH, MODULE_PATH } from "@mayfly/runtime";
import { Conversation } from "./conversation.ts";
import { type Bounds, BuildStopped, bounded, boundedExports } from "./fault.ts";
import { receivedFiles } from "./make-layer.ts";
import type { BoxSession } from "./session.ts";

export interface Detected {
  readonly contract: "fetch" | "lambda";
  readonly exports: string[];
  /** V8's code of the module, when it was asked for and is worth a layer. */
  readonly compiled: Layer | null;
}

/**
 * Loads the module in a box of its image, as a call would, and asks what it exports. `contract`: the one that it must have; null: any.
 * `keepIn`: where a layer with its compiled code goes.
 * @throws BuildStopped when there is no handler
 */
export async function detectContract(
  session: BoxSession,
  { contract: wanted, keepIn }: { readonly contract: Contract | null; readonly keepIn: ImageStore | null },
  bounds: Bounds,
): Promise<Detected> {
  const talk = new Conversation(session, { phase: "detect", bounds, onRecord: () => {}, readFault });
  const init = { module: MODULE_PATH, contract: wanted, mode: "detect", compile: keepIn !== null };
  await session.send(encodeJson(FRAME.INIT, init)).catch(() => {
    // The box is gone already: its ending says why.
  });
  const frame = await talk.next();
  const ready = BoxReady.safeParse(talk.json(frame));
  if (frame.type !== FRAME.READY || !ready.success) throw talk.nonsense();
  const exports = boundedExports(ready.data.exports);
  const { contract } = ready.data;
  const isWanted = wanted === null || contract === wanted;
  if (!isWanted || (contract !== "fetch" && contract !== "lambda")) throw new BuildStopped(noHandler(wanted, exports));
  return { contract, exports, compiled: keepIn && (await compiledLayer(talk, keepIn)) };
}

async function compiledLayer(talk: Conversation, store: ImageStore): Promise<Layer | null> {
  const frame = await talk.next();
  const head = CompiledFiles.safeParse(talk.json(frame));
  if (frame.type !== FRAME.HEAD || !head.success) throw talk.nonsense();
  const { files } = head.data;
  if (files.length === 0) return null;
  return store.addLayer(receivedFiles(files, { folder: COMPILED_PATH.slice(1), owner: 0 }, talk), {
    compression: "gzip",
  });
}

/** What the runner tells of a module that threw: the stack names the user's files and lines. */
function readFault(value: unknown): BuildFault | null {
  const read = ErrorFrame.safeParse(value);
  if (!read.success) return null;
  const { message, stack } = read.data;
  return bounded({ code: "build_failed", message, ...(stack ? { hint: stack } : {}) });
}

const FETCH = "export default { fetch(request) { … } }, or a function as default, or functions named GET, POST, …";
const LAMBDA = "export const handler = async (event, context) => { … }";

const noHandler = (wanted: Contract | null, exports: string[]): BuildFault => ({
  code: "handler_not_found",
  message: `no handler${wanted === null ? "" : ` for contract=${wanted}`} was found; the module exports ${exports.length === 0 ? "nothing" : exports.join(", ")}`,
  hint: wanted === "lambda" ? LAMBDA : wanted === "fetch" ? FETCH : `${FETCH}; or ${LAMBDA}`,
  exports,
});
