import type { Readable } from "node:stream";
import type { Box } from "@mayfly/container";
import { describeEnding, type Ending, ResponseHead } from "@mayfly/contract";
import { passRequest, sendAnswer, type Traffic } from "../../invoke/exchange.ts";
import type { Exchange, Program } from "../program.ts";
import { readHead } from "./response.ts";

/**
 * The contract `cgi`: the image's program is started for the request, which it has in its environment (meta-variables.ts) and on standard
 * input; what it writes to standard output is the answer. It ends by itself; one that ends with another code than 0 has failed.
 */
export class CgiProgram implements Program {
  readonly takesOutput = true;
  readonly #box: Box;

  constructor(box: Box) {
    this.#box = box;
  }

  async initialise(_traffic: Traffic, onMade: () => void): Promise<boolean> {
    onMade();
    return this.#box.pid !== 0;
  }

  async answer({ gateway, traffic, timing }: Exchange): Promise<void> {
    const input = this.#box.stdin!;
    const sink = {
      data: async (bytes: Uint8Array) => {
        if (input.destroyed || input.write(bytes)) return;
        await new Promise<void>((resolve) => input.once("drain", resolve).once("close", resolve));
      },
      end: async () => void input.end(),
    };
    void passRequest(gateway.frames, sink, traffic).then(
      () => traffic.clientGone && this.#box.kill({ kind: "killed", reason: "the caller went away" }),
    );
    try {
      const { head, body } = await read(this.#box.stdout);
      const checked = ResponseHead.safeParse(head);
      if (!checked.success) throw new Error("its status or a header cannot be passed on");
      await sendAnswer({ head: checked.data, body: whole(body, this.#box.ended), gateway, timing, traffic });
    } catch (error) {
      if (traffic.clientGone || traffic.boxError || error instanceof EndedBadly) return;
      traffic.boxError = {
        code: "bad_response",
        message: `what the program wrote is no answer: ${(error as Error).message}`,
      };
    }
  }

  close(): void {
    this.#box.stdin?.destroy();
    this.#box.stdout.resume();
  }
}

/** Its ending says how. */
class EndedBadly extends Error {}

async function read(output: Readable): Promise<{ head: ResponseHead; body: AsyncIterable<Uint8Array> }> {
  const chunks = output[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let bytes = new Uint8Array(0);
  for (;;) {
    const { value, done } = await chunks.next();
    if (value) bytes = Buffer.concat([bytes, value]);
    const found = readHead(bytes, done === true);
    if (found) return { head: found.head, body: rest(bytes.subarray(found.bodyAt), chunks) };
  }
}

async function* rest(first: Uint8Array, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.byteLength > 0) yield first;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}

/** @throws EndedBadly after all of it, when the program that wrote it has failed */
async function* whole(body: AsyncIterable<Uint8Array>, ended: Promise<Ending>): AsyncGenerator<Uint8Array> {
  yield* body;
  const ending = await ended;
  if (ending.kind !== "exit" || ending.code !== 0) throw new EndedBadly(describeEnding(ending));
}
