import { setTimeout as sleep } from "node:timers/promises";
import type { HttpBindings } from "@hono/node-server";
import { type ImageProgress, type Problem, toProblem } from "@mayfly/contract";
import type { Context } from "hono";
import type { GatewayDeps } from "../deps.ts";
import { asFault } from "../http/failure.ts";
import { streamed, wantsStream } from "../http/record-stream.ts";
import type { Asking } from "./requests.ts";

/** As many records of progress as wait for a client that reads slowly; the oldest go first. */
const MOST_WAITING = 1_000;
/** Something is said at least so often: many clients give up a connection on which nothing comes for some minutes. */
const SAY_EVERY_MS = 30_000;

/**
 * Work that takes its time: JSON at its end; or, when the client asks for a stream, records while it goes on (`progress`, null when there is
 * none to tell), and a last one with `result` or `error` (a problem document), because the status line is long gone.
 */
export async function followed(
  context: Context<{ Bindings: HttpBindings }>,
  ask: (asking: Asking) => Promise<unknown>,
  { log }: Pick<GatewayDeps, "log">,
  body?: NonNullable<Asking["body"]>,
): Promise<Response> {
  const given = { signal: context.req.raw.signal, ...(body && { body }) };
  if (!wantsStream(context)) return context.json((await ask(given)) as object);
  const waiting: ImageProgress[] = [];
  let wake = () => {};
  const onProgress = (progress: ImageProgress) => {
    if (waiting.push(progress) > MOST_WAITING) waiting.shift();
    wake();
  };
  let ended: { result: unknown } | { error: Problem } | null = null;
  const asking = ask({ ...given, onProgress }).then(
    (result) => {
      ended = { result };
    },
    (error) => {
      const fault = asFault(error, context.req.path, log);
      ended = { error: toProblem(fault.code, fault.details, context.req.path) };
    },
  );
  // A client that is still sending reads nothing.
  if (body) await Promise.race([asking, new Promise((resolve) => body.once("end", resolve))]);
  return streamed(context, records());

  async function* records() {
    let seq = 0;
    for (;;) {
      for (const progress of waiting.splice(0)) yield { seq: seq++, progress };
      if (ended !== null) return void (yield { seq, ...ended });
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const quiet = new AbortController();
      await Promise.race([asking, more, sleep(SAY_EVERY_MS, null, { signal: quiet.signal }).catch(() => {})]);
      quiet.abort();
      if (ended === null && waiting.length === 0) yield { seq: seq++, progress: null };
    }
  }
}
