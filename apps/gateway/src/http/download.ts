import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Logger } from "pino";

/** Bytes as they come. What cannot be given whole cuts the connection: its head is gone already. */
export function download(
  context: Context<{ Bindings: HttpBindings }>,
  bytes: AsyncIterable<Uint8Array>,
  type: string,
  { log }: { readonly log: Logger },
): Response {
  const guarded = async function* () {
    try {
      yield* bytes;
    } catch (error) {
      log.error({ err: error, path: context.req.path }, "what was asked for could not be given whole");
      (context.env.incoming as IncomingMessage).socket.destroy();
    }
  };
  const stream = ReadableStream.from(guarded()) as unknown as ReadableStream;
  return new Response(stream, { headers: { "content-type": type } });
}
