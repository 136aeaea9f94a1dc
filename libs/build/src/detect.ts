import { BoxReady, decodeJson, encodeJson, FRAME } from "@mayfly/contract";
import { MODULE_PATH } from "@mayfly/runtime";
import { type BoxSession, BuildStopped, Conversation } from "./session.ts";

/** Loads the module in a box of its image, as a call would, and asks what it exports. @throws BuildStopped when there is no handler */
export async function detectContract(session: BoxSession): Promise<{ contract: "fetch"; exports: string[] }> {
  const talk = new Conversation(session, () => {});
  await session
    .send(encodeJson(FRAME.INIT, { module: MODULE_PATH, contract: "fetch", mode: "detect" }))
    .catch(() => {});
  const ready = await talk.next().catch((error) => {
    if (error instanceof BuildStopped && (error.fault.code as string) === "function_error") {
      const { message, stack } = error.fault as { message: string; stack?: string };
      throw new BuildStopped({ code: "build_failed", message, ...(stack ? { hint: stack } : {}) });
    }
    throw error;
  });
  const { contract, exports } = BoxReady.parse(decodeJson(ready));
  if (contract === "fetch") return { contract, exports };
  throw new BuildStopped({
    code: "handler_not_found",
    message: `no handler was found; the module exports ${exports.length === 0 ? "nothing" : exports.join(", ")}`,
    hint: "export default { fetch(request) { … } }, or a function as default, or functions named GET, POST, …",
    exports,
  });
}
