import { once } from "node:events";
import type { Duplex } from "node:stream";
import {
  type BoxEnd,
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
  flags: { readonly start: boolean; readonly stdin: boolean },
): Promise<BoxEnd> {
  const socket = await client.upgrade(`${boxPath(box)}/attach${flags.start ? "?start" : ""}`, "mayfly-frames");
  const order = (signal: NodeJS.Signals) => void socket.write(encodeJson(FRAME.RECORD, { signal }));
  for (const signal of PASSED) process.removeAllListeners(signal).on(signal, order);
  // Who reads us has seen enough: a program in the box learns it as one on this host would.
  process.stdout.removeAllListeners("error").on("error", () => order("SIGPIPE"));
  if (flags.stdin) void feed(socket);
  try {
    return await show(socket);
  } finally {
    socket.destroy();
    process.stdin.destroy();
  }
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
