import { BoxReady, type BuildFault, ErrorFrame, encodeJson, FRAME } from "@mayfly/contract";
import { MODULE_PATH } from "@mayfly/runtime";
import { Conversation } from "./conversation.ts";
import { type Bounds, BuildStopped, bounded, boundedExports } from "./fault.ts";
import type { BoxSession } from "./session.ts";

/** Loads the module in a box of its image, as a call would, and asks what it exports. @throws BuildStopped when there is no handler */
export async function detectContract(
  session: BoxSession,
  bounds: Bounds,
): Promise<{ contract: "fetch"; exports: string[] }> {
  const talk = new Conversation(session, { phase: "detect", bounds, onRecord: () => {}, readFault });
  await session.send(encodeJson(FRAME.INIT, { module: MODULE_PATH, contract: "fetch", mode: "detect" })).catch(() => {
    // The box is gone already: its ending says why.
  });
  const frame = await talk.next();
  const ready = BoxReady.safeParse(talk.json(frame));
  if (frame.type !== FRAME.READY || !ready.success) throw talk.nonsense();
  const exports = boundedExports(ready.data.exports);
  if (ready.data.contract === "fetch") return { contract: "fetch", exports };
  throw new BuildStopped(noHandler(exports));
}

/** What the runner tells of a module that threw: the stack names the user's files and lines. */
function readFault(value: unknown): BuildFault | null {
  const read = ErrorFrame.safeParse(value);
  if (!read.success) return null;
  const { message, stack } = read.data;
  return bounded({ code: "build_failed", message, ...(stack ? { hint: stack } : {}) });
}

const noHandler = (exports: string[]): BuildFault => ({
  code: "handler_not_found",
  message: `no handler was found; the module exports ${exports.length === 0 ? "nothing" : exports.join(", ")}`,
  hint: "export default { fetch(request) { … } }, or a function as default, or functions named GET, POST, …",
  exports,
});
