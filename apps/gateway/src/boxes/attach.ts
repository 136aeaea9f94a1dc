import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { BoxTask, Fault, FRAME, type FrameType, faultRow, toProblem } from "@mayfly/contract";
import { FrameChannel } from "@mayfly/queue";
import type { GatewayDeps } from "../deps.ts";
import { hasKey } from "../http/auth.ts";
import { asFault } from "../http/failure.ts";
import { problemHeaders } from "../http/problem-response.ts";
import { taskOf } from "../requests/task.ts";

/** What a client names in `Upgrade` to be attached to a box: from then on the connection carries our frames, both ways. */
const PROTOCOL = "mayfly-frames";
const FROM_CLIENT: ReadonlySet<FrameType> = new Set([FRAME.DATA, FRAME.END, FRAME.RECORD]);

export const wantsFrames = (request: IncomingMessage): boolean => request.headers.upgrade === PROTOCOL;

/** `POST /v1/boxes/{box}/attach[?start]` with `Upgrade: mayfly-frames`: 101, then frames (`BoxTask`, attach) until ACK or ERROR. */
export async function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, deps: GatewayDeps) {
  socket.on("error", () => socket.destroy());
  const client = new AbortController();
  socket.once("close", () => client.abort(new Error("the client has gone")));
  try {
    const worker = await deps.boxes.open(attachTask(request, deps), client.signal);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${PROTOCOL}\r\n\r\n`);
    socket.unshift(head);
    await relay(new FrameChannel(socket), worker);
  } catch (error) {
    refuse(socket, request.url ?? "", error, deps);
  }
}

/** @throws Fault */
function attachTask({ method, url = "", headers }: IncomingMessage, { key }: GatewayDeps): BoxTask {
  if (!hasKey(headers.authorization, key)) throw new Fault("unauthorized", { detail: `${method} ${url} needs a key` });
  const { pathname, searchParams } = new URL(url, "http://localhost");
  const box = /^\/v1\/boxes\/([^/]+)\/attach$/.exec(pathname)?.[1];
  if (method !== "POST" || box === undefined)
    throw new Fault("not_found", { detail: `nothing at ${method} ${pathname} speaks ${PROTOCOL}` });
  return taskOf(BoxTask, { verb: "attach", box: decodeURIComponent(box), start: searchParams.has("start") });
}

/** Until one of both is gone. */
async function relay(client: FrameChannel, worker: FrameChannel): Promise<void> {
  const up = async () => {
    for await (const { type, payload } of client.frames) {
      if (!FROM_CLIENT.has(type)) break;
      await worker.send(type, payload);
    }
    worker.destroy();
  };
  up().catch(() => worker.destroy());
  let last: FrameType | null = null;
  for await (const { type, payload } of worker.frames) {
    last = type;
    await client.send(type, payload).catch(() => worker.destroy());
  }
  if (last !== FRAME.ACK && last !== FRAME.ERROR) {
    const message = "the worker was lost; the box may have ended with it";
    await client.sendJson(FRAME.ERROR, { code: "worker_lost", message }).catch(() => {});
  }
  client.close();
}

/** As long as nothing was said, with a problem document like anywhere else. */
function refuse(socket: Duplex, url: string, error: unknown, { log }: GatewayDeps): void {
  if (socket.destroyed) return;
  const path = url.split("?")[0]!;
  const { code, details } = asFault(error, path, log);
  const body = `${JSON.stringify(toProblem(code, details, path))}\n`;
  const headers = { ...problemHeaders(code, details), "content-length": Buffer.byteLength(body), connection: "close" };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${faultRow(code).status} ${faultRow(code).title}\r\n${lines.join("")}\r\n${body}`);
}
