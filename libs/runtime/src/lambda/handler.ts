import type { Call } from "../call.ts";
import { lambdaAnswer } from "./answer.ts";
import { type LambdaContext, lambdaContext } from "./context.ts";
import { type LambdaEvent, lambdaEvent } from "./event.ts";
import { isStreaming, streamed } from "./stream.ts";

type LambdaHandler = (event: LambdaEvent, context: LambdaContext) => unknown;

/** The export `handler` of a module, or of a CommonJS module under `default`. @throws Error for one that wants a callback */
export function lambdaHandler(module: Record<string, unknown>): ((call: Call) => Promise<Response>) | null {
  const handler = module.handler ?? (module.default as { handler?: unknown } | null | undefined)?.handler;
  if (typeof handler !== "function") return null;
  if (isStreaming(handler)) return async (call) => streamed(handler, await eventOf(call), contextOf(call));
  // Node 24's Lambda refuses them too.
  if (handler.length > 2)
    throw new Error(
      "handler takes a callback, which this runtime does not call; return the answer: export const handler = async (event, context) => { … }",
    );
  return async (call) => {
    const { head, body } = lambdaAnswer(await (handler as LambdaHandler)(await eventOf(call), contextOf(call)));
    const bytes = body.byteLength === 0 ? null : (body as Uint8Array<ArrayBuffer>);
    return new Response(bytes, { status: head.status, headers: head.headers as [string, string][] });
  };
}

const contextOf = ({ head }: Call) => lambdaContext(head, process.env);

async function eventOf({ head, request }: Call): Promise<LambdaEvent> {
  const body = new Uint8Array(await request.arrayBuffer());
  const name = process.env.AWS_LAMBDA_FUNCTION_NAME ?? "";
  return lambdaEvent({ head, body, function: name, invocation: head.invocation, epoch_ms: Date.now() });
}
