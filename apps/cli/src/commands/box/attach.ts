import { once } from "node:events";
import type { Duplex } from "node:stream";
import {
  type BoxEnd,
  type BoxOrder,
  decodeJson,
  ErrorFrame,
  encodeFrame,
  encodeJson,
  type FaultCode,
  FRAME,
  type Frame,
  FrameDecoder,
  toProblem,
} from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { CliError, EXIT, problemError } from "../../failure.ts";
import { boxPath } from "./path.ts";

/** Signals that are the box's while somebody is attached. */
const PASSED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** Our standard streams are a box's until it ends. @throws CliError when it cannot be started, or the server is lost */
export async function attach(
  client: Client,
  box: string,
  flags: { readonly start: boolean; readonly stdin: boolean; readonly terminal: boolean },
): Promise<BoxEnd> {
  const socket = await client.upgrade(`${boxPath(box)}/attach${flags.start ? "?start" : ""}`, "mayfly-frames");
  const send = (order: BoxOrder) => void socket.write(encodeJson(FRAME.RECORD, order));
  const order = (signal: NodeJS.Signals) => send({ signal });
  for (const signal of PASSED) process.removeAllListeners(signal).on(signal, order);
  // Who reads us has seen enough: a program in the box learns it as one on this host would.
  process.stdout.removeAllListeners("error").on("error", () => order("SIGPIPE"));
  const putBack = flags.terminal ? asTerminal(send, flags.stdin) : () => {};
  // It is closed under its hands at the end.
  if (flags.stdin) feed(socket).catch(() => {});
  try {
    return await show(socket);
  } finally {
    putBack();
    socket.destroy();
    process.stdin.destroy();
  }
}

/** Our terminal becomes the box's: its size, and what is typed as it is typed. The answer puts ours back. */
function asTerminal(send: (order: BoxOrder) => void, isTyped: boolean): () => void {
  const { stdin, stdout } = process;
  const resize = () => {
    if (stdout.rows > 0 && stdout.columns > 0) send({ rows: stdout.rows, columns: stdout.columns });
  };
  resize();
  stdout.on("resize", resize);
  if (isTyped && stdin.isTTY) stdin.setRawMode(true);
  return () => {
    if (isTyped && stdin.isTTY) stdin.setRawMode(false);
  };
}

async function feed(socket: Duplex): Promise<void> {
  for await (const chunk of process.stdin) {
    if (!socket.write(encodeFrame(FRAME.DATA, chunk as Buffer))) await once(socket, "drain").catch(() => {});
  }
  if (socket.writable) socket.write(encodeFrame(FRAME.END, new Uint8Array(0)));
}

async function show(socket: Duplex): Promise<BoxEnd> {
  const decoder = new FrameDecoder();
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    for (const frame of decoder.push(chunk)) {
      if (frame.type === FRAME.ACK) return decodeJson(frame) as BoxEnd;
      if (frame.type === FRAME.ERROR) throw failureOf(frame);
      await write(frame);
    }
  }
  throw new CliError("the connection broke off; the box goes on", { exit: EXIT.retry, hint: "mayfly ps shows it" });
}

/** Output of a box, each stream to its own. What nobody takes any more is left out. */
export async function write({ type, payload }: Frame): Promise<void> {
  const stream = type === FRAME.STDERR ? process.stderr : process.stdout;
  if (stream.writable && !stream.write(payload)) {
    await Promise.race([once(stream, "drain"), once(stream, "close")]).catch(() => {});
  }
}

function failureOf(frame: Frame): CliError {
  const { code, message } = ErrorFrame.parse(decodeJson(frame));
  return problemError(toProblem(code as FaultCode, { detail: message }));
}
