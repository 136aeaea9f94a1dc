import { decodeJson, FRAME, type Frame } from "@mayfly/contract";
import { type Answer, bytesOf, DRAINED_BYTES } from "../answer.ts";
import type { RegistryOptions, Request } from "../registry.ts";
import type { Body } from "../wire.ts";
import type { Lane } from "./lane.ts";
import { type Ask, readHead, readTrouble } from "./message.ts";

/** A frame's payload; what is read from a store comes in larger pieces. */
const PIECE_BYTES = 64 * 1024;

/** A lane for one exchange. */
export interface Taken {
  readonly lane: Lane;
  /** It can carry the next one. */
  free(): void;
  /** It cannot: the courier drops what it was doing there. */
  broken(): void;
  /** Why the courier has closed it. */
  lost(): Promise<Error>;
}

/** One request at our end of a lane. The lane is given back when the answer has been read, or thrown away. @throws Unavailable, ImageError */
export async function exchange(taken: Taken, options: RegistryOptions, request: Request): Promise<Answer> {
  const { lane } = taken;
  const { signal } = request;
  let failed: unknown = null;
  const give = (error: unknown) => {
    failed ??= error;
    taken.broken();
  };
  const gone = () => give(signal.reason);
  signal.addEventListener("abort", gone, { once: true });
  let isOver = false;
  const over = (how: "free" | "broken") => {
    if (isOver) return;
    isOver = true;
    signal.removeEventListener("abort", gone);
    taken[how]();
  };
  const next = async (): Promise<Frame> => {
    const frame = await lane.next().catch(give);
    if (failed !== null) throw failed;
    if (!frame) throw await taken.lost();
    if (frame.type !== FRAME.ERROR) return frame;
    over("free");
    throw readTrouble(decodeJson(frame));
  };
  async function* body(): AsyncGenerator<Uint8Array> {
    let isEnded = false;
    try {
      for (;;) {
        const { type, payload } = await next();
        isEnded = type === FRAME.END;
        if (isEnded) return;
        yield payload;
      }
    } finally {
      over(isEnded ? "free" : "broken");
    }
  }
  try {
    const opened = request.body?.open();
    await lane.json(FRAME.RECORD, askOf(options, request, opened instanceof Uint8Array));
    for (;;) {
      const frame = await next();
      if (frame.type === FRAME.GO) void send(lane, request.body!).catch(give);
      else return answerOf(readHead(decodeJson(frame)), body());
    }
  } catch (error) {
    over("broken");
    throw error;
  }
}

function askOf({ host, insecure, credential, stall_ms }: RegistryOptions, request: Request, whole: boolean): Ask {
  const { method, url, headers = {}, body, scopes, expect, doing } = request;
  return {
    registry: { host, insecure: [...insecure], credential, stall_ms },
    ...{ method, url: String(url), headers, scopes, expect, doing },
    body: body ? { size_bytes: body.size_bytes, whole } : null,
  };
}

async function send(lane: Lane, body: Body): Promise<void> {
  const opened = body.open();
  for await (const chunk of opened instanceof Uint8Array ? [opened] : opened) {
    for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
      await lane.bytes(FRAME.DATA, chunk.subarray(at, at + PIECE_BYTES));
    }
  }
  await lane.bytes(FRAME.END);
}

function answerOf(head: ReturnType<typeof readHead>, body: AsyncGenerator<Uint8Array>): Answer {
  const shown = new Map(head.headers);
  return {
    status: head.status,
    headers: { get: (name) => shown.get(name) ?? null },
    url: new URL(head.url),
    chunks: () => body,
    bytes: (most) => bytesOf(body, most),
    async discard() {
      await bytesOf(body, DRAINED_BYTES).catch(() => {});
    },
  };
}
