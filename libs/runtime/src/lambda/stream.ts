import { PassThrough, Readable, type Writable } from "node:stream";
import { preludeHead } from "./answer.ts";
import type { LambdaContext } from "./context.ts";
import type { LambdaEvent } from "./event.ts";

/** As AWS's runtime marks a handler that streams its answer. */
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const DEFAULT_TYPE = "application/octet-stream";

/** Where a streaming handler writes its answer. The head goes out with the first bytes. */
interface ResponseStream extends Writable {
  setContentType(type: string): void;
}
type StreamingHandler = (event: LambdaEvent, stream: ResponseStream, context: LambdaContext) => unknown;

/** What `HttpResponseStream.from` said of a stream. */
const preludes = new WeakMap<object, unknown>();

/** The global that Lambda's Node has. */
const awslambda = {
  streamifyResponse: <T extends StreamingHandler>(handler: T): T =>
    Object.assign(handler, { [STREAMING]: "response" as const }),
  HttpResponseStream: {
    from<T extends ResponseStream>(stream: T, prelude: unknown): T {
      preludes.set(stream, prelude);
      return stream;
    },
  },
};

export function offerStreaming(): void {
  (globalThis as { awslambda?: typeof awslambda }).awslambda = awslambda;
}

export const isStreaming = (handler: unknown): handler is StreamingHandler =>
  (handler as { [STREAMING]?: unknown })[STREAMING] === "response";

/** Resolves with the answer when its first bytes, or its end, are there; the rest follows. Rejects with what the handler threw before. */
export function streamed(handler: StreamingHandler, event: LambdaEvent, context: LambdaContext): Promise<Response> {
  return new Promise((resolve, reject) => {
    let type = DEFAULT_TYPE;
    let isBegun = false;
    const begin = () => {
      if (isBegun) return;
      isBegun = true;
      try {
        const { status, headers } = preludeHead(preludes.get(stream), type);
        const isBodiless = [204, 205, 304].includes(status);
        const body = isBodiless ? null : (Readable.toWeb(passing) as ReadableStream);
        resolve(new Response(body, { status, headers: headers as [string, string][] }));
      } catch (error) {
        reject(error);
      }
    };
    const passing = new PassThrough({
      transform(chunk, _encoding, done) {
        begin();
        done(null, chunk);
      },
      flush(done) {
        begin();
        done();
      },
    });
    const setContentType = (text: string) => {
      type = text;
    };
    const stream = writingJson(Object.assign(passing, { setContentType }));
    // Thrown after the first bytes: the answer breaks off, and says why.
    const fail = (error: unknown) => {
      reject(error);
      passing.destroy(error instanceof Error ? error : new Error(String(error)));
    };
    passing.on("error", () => {});
    void (async () => handler(event, stream, context))().catch(fail);
  });
}

/** As in AWS's runtime, what is neither text nor bytes is written as JSON. */
function writingJson<T extends Writable>(stream: T): T {
  const written = (chunk: unknown) =>
    typeof chunk === "string" || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk);
  const { write } = stream;
  stream.write = ((chunk: unknown, ...rest: unknown[]) =>
    Reflect.apply(write, stream, [written(chunk), ...rest])) as typeof stream.write;
  return stream;
}
