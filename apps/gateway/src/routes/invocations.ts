import { Fault, INVOCATION_STATUS, InvocationId } from "@mayfly/contract";
import { Hono } from "hono";
import { CALL_STATES } from "../calls/registry.ts";
import { answerFault } from "../calls/relay.ts";
import type { GatewayDeps } from "../deps.ts";
import { cursorOf, limitOf, timeOf } from "../http/params.ts";
import { waitSeconds } from "../http/wait.ts";
import { callView, invocationView } from "../views.ts";

/** Of calls under way, then of those that ended. */
const STATUSES: readonly string[] = [...CALL_STATES, ...INVOCATION_STATUS];

/** Invocations: those under way from memory, those that ended from the ledger. */
export const invocationRoutes = (deps: GatewayDeps) =>
  new Hono()
    .get("/invocations", async (context) => {
      const { function: name, status, since, until, limit, cursor } = context.req.query();
      const count = limitOf(limit);
      if (status !== undefined && !STATUSES.includes(status))
        throw new Fault("bad_request", { detail: `status=${status} is none of ${STATUSES.join(", ")}` });
      const found = await deps.ledger.list({
        function: name,
        status,
        since: timeOf("since", since),
        until: timeOf("until", until),
        before: cursorOf(cursor),
        limit: count,
      });
      const underWay =
        cursor === undefined
          ? deps.calls
              .list()
              .filter((call) => (!name || call.job.version.function === name) && (!status || call.state === status))
          : [];
      const known = new Set(found.map((record) => record.id as string));
      const first = underWay.filter((call) => !known.has(call.job.invocation)).slice(0, count - 1);
      const shown = found.slice(0, count - first.length);
      // The cursor is that of the last one shown: what did not fit beside those under way comes on the next page.
      const more = shown.length < found.length || found.length === count;
      return context.json({
        invocations: [...first.map(callView), ...shown.map(invocationView)],
        cursor: more ? String(shown.at(-1)!.bill.ledger.seq) : null,
      });
    })
    .get("/invocations/:id", async (context) => {
      const id = context.req.param("id");
      const seconds = waitSeconds(context.req);
      if (seconds > 0 && InvocationId.safeParse(id).success) {
        // Begun before the look, so that nothing falls between. A call that is not known may be one of a gateway before this one.
        const waiting = deps.settled.wait(id, seconds * 1000, context.req.raw.signal);
        if (await deps.ledger.invocation(id)) deps.settled.tell(id);
        await waiting;
      }
      return context.json(await show(id, deps));
    })
    .get("/invocations/:id/log", async (context) => {
      const id = context.req.param("id");
      await show(id, deps);
      const log = (await deps.ledger.log(id)) ?? { lines: [], dropped_bytes: 0 };
      if ((context.req.header("accept") ?? "").includes("json")) {
        return context.body(log.lines.map((line) => `${JSON.stringify(line)}\n`).join(""), 200, {
          "content-type": "application/x-ndjson",
        });
      }
      const note =
        log.dropped_bytes > 0 ? [`[${log.dropped_bytes} more bytes were not kept: the log is over its limit]`] : [];
      return context.text([...log.lines.map((line) => line.text), ...note].map((line) => `${line}\n`).join(""));
    })
    .delete("/invocations/:id", async (context) => {
      const call = deps.calls.get(context.req.param("id"));
      if (!call || call.state === "settling") {
        await show(context.req.param("id"), deps);
        throw new Fault("conflict", { detail: `invocation ${context.req.param("id")} has ended already` });
      }
      // The answer's end closes the worker's channel, and that kills the box.
      answerFault(call, "canceled", `invocation ${call.job.invocation} was canceled by request`);
      return context.json(callView(call), 202);
    });

async function show(id: string, deps: GatewayDeps) {
  const record = await deps.ledger.invocation(id);
  if (record) return invocationView(record);
  const call = deps.calls.get(id);
  if (call) return callView(call);
  throw new Fault("not_found", {
    detail: `there is no invocation ${id}`,
    hint: "a call that ended a moment ago may still be on its way: try ?wait=5",
  });
}
