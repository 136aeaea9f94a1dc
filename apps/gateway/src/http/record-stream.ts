import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { stream } from "hono/streaming";

type App = { Bindings: HttpBindings };

/** Whether a client asks for records while they happen. */
export const wantsStream = (context: Context<App>): boolean =>
  /application\/x-ndjson|text\/event-stream/.test(context.req.header("accept") ?? "");

/** Records one by one: a line of JSON each, or server-sent events whose id is the record's `seq`. */
export function streamed(context: Context<App>, records: Iterable<object> | AsyncIterable<object>): Response {
  const events = (context.req.header("accept") ?? "").includes("text/event-stream");
  context.header("content-type", events ? "text/event-stream" : "application/x-ndjson");
  context.header("cache-control", "no-store");
  context.header("x-accel-buffering", "no");
  return stream(context, async (out) => {
    for await (const record of records) {
      const text = JSON.stringify(record);
      await out.write(events ? `id: ${(record as { seq: number }).seq}\ndata: ${text}\n\n` : `${text}\n`);
    }
  });
}
