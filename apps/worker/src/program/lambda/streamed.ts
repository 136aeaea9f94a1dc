import type { IncomingMessage } from "node:http";
import type { ErrorFrame, ResponseHead } from "@mayfly/contract";
import { BadResponse, preludeHead } from "@mayfly/runtime";
import { readFailure } from "./failure.ts";

/** The type of a stream that begins with its head: JSON, then eight NUL bytes, then the body. */
const WITH_PRELUDE = "application/vnd.awslambda.http-integration-response";
const DELIMITER = Buffer.alloc(8);
const LONGEST_PRELUDE_BYTES = 64 * 1024;
const DEFAULT_TYPE = "application/octet-stream";

/** The function failed while it streamed: told in the trailers. */
export class StreamFailed extends Error {
  readonly frame: ErrorFrame;
  constructor(frame: ErrorFrame) {
    super(frame.message);
    this.frame = frame;
  }
}

/**
 * The head and the body of an answer that is streamed. Its head is there with its first bytes: a failure before them is no answer.
 * @throws BadResponse, StreamFailed; the body throws StreamFailed, and an Error when it breaks off
 */
export async function readStreamed(
  request: IncomingMessage,
): Promise<{ head: ResponseHead; body: AsyncIterable<Uint8Array> }> {
  const chunks = untilFailure(request);
  const type = request.headers["content-type"] ?? DEFAULT_TYPE;
  if (type !== WITH_PRELUDE) {
    const first = await chunks.next();
    return { head: preludeHead({}, type), body: rest(first.value ?? Buffer.alloc(0), chunks) };
  }
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const { value } = await chunks.next();
    if (value) bytes = Buffer.concat([bytes, value]);
    const at = bytes.indexOf(DELIMITER);
    if (at >= 0) return { head: headOf(bytes.subarray(0, at)), body: rest(bytes.subarray(at + 8), chunks) };
    if (!value || bytes.byteLength > LONGEST_PRELUDE_BYTES)
      throw new BadResponse("the stream's head has no end: eight NUL bytes must follow its JSON");
  }
}

function headOf(bytes: Buffer): ResponseHead {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (error) {
    throw new BadResponse(`the stream's head is no JSON: ${(error as Error).message}`);
  }
  return preludeHead(value, DEFAULT_TYPE);
}

async function* untilFailure(request: IncomingMessage): AsyncGenerator<Buffer, undefined> {
  for await (const chunk of request) yield chunk as Buffer;
  const { trailers } = request;
  const body = trailers["lambda-runtime-function-error-body"];
  if (body !== undefined || trailers["lambda-runtime-function-error-type"] !== undefined)
    throw new StreamFailed(readFailure(trailers, Buffer.from(body ?? "", "base64")));
}

async function* rest(first: Uint8Array, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.byteLength > 0) yield first;
  yield* chunks;
}
