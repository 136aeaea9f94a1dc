import type { IncomingMessage, ServerResponse } from "node:http";
import { Fault, formatBytes, type InvokeJob, newInvocationId } from "@mayfly/contract";
import type { GatewayDeps } from "../deps.ts";
import { hasKey } from "../http/auth.ts";
import { admit } from "./admit.ts";
import { requestHeaders } from "./headers.ts";
import type { Call } from "./registry.ts";
import { answerFault } from "./relay.ts";
import { requestLimit } from "./request-limit.ts";
import { type CallTarget, parseTarget } from "./target.ts";

/** How long after the deadline the gateway believes that a worker will still say that it has killed the box. */
const BACKSTOP_MS = 2_000;
/** How long a call without a bill is shown after its answer: its worker may have been lost, and its successor bills it. */
const SHOWN_MS = 60_000;

/**
 * Takes a call in: everything that can be refused at once is, by a throw; from here on the answer belongs to whoever claims the job,
 * or to the backstop. @throws Fault
 */
export async function takeCall(request: IncomingMessage, response: ServerResponse, deps: GatewayDeps): Promise<void> {
  const nowMs = Date.now();
  // It would come back to its sender, with what a proxy had added (RFC 9110 §9.3.8); the fetch standard forbids it to functions.
  if (request.method === "TRACE") throw notOffered;
  const target = parseTarget(request.url ?? "");
  if (!target) throw notFound(`${request.url} names no function`);
  const version = await deps.catalog.version(target.name, target.reference);
  if (!version) throw unknown(target);
  const trusted = hasKey(request.headers.authorization, deps.key);
  if (version.settings.access === "key" && !trusted) {
    throw new Fault("unauthorized", { detail: `${target.name} is closed: it is called with a key` });
  }
  const announced = Number(request.headers["content-length"] ?? 0);
  const limit = requestLimit(version);
  if (announced > limit) throw requestTooLarge(announced, limit);
  admit(version, deps.calls, deps.queueLimit);
  if (request.destroyed) return;

  const scheme = "http";
  const job: InvokeJob = {
    invocation: newInvocationId(nowMs),
    attempt: 1,
    trigger: "http",
    version: { ...version },
    head: {
      method: request.method ?? "GET",
      target: target.target,
      headers: requestHeaders(request, target, scheme, trusted),
      origin: `${scheme}://${originHost(request)}`,
    },
    received_at_us: Math.round((performance.timeOrigin + performance.now()) * 1000),
    deadline_ms: nowMs + version.settings.timeout_ms,
    channel: deps.channel,
  };
  const call: Call = { job, request, response, trusted, state: "queued", channel: null };
  deps.calls.add(call);
  watch(call, deps);
  try {
    await deps.producer.invoke(job);
  } catch (cause) {
    deps.calls.remove(job.invocation);
    throw new Fault("unavailable", {
      detail: "the queue cannot be reached; nothing was run",
      retryAfterSeconds: 2,
      cause,
    });
  }
}

const notFound = (detail: string) => new Fault("not_found", { detail });

const unknown = ({ name, reference }: CallTarget) =>
  reference === "live"
    ? notFound(`there is no function ${name}`)
    : new Fault("not_found", {
        detail: `there is no ${name}@${reference}`,
        hint: "behind the @ stands the number of a version, or an alias",
      });

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const notOffered = new Fault("method_not_allowed", {
  detail: "TRACE is not passed to functions",
  extra: { allow: METHODS },
});

const requestTooLarge = (bytes: number, limit: number) =>
  new Fault("body_too_large", {
    detail: `the request is ${formatBytes(bytes)}, the limit is ${formatBytes(limit)}`,
    extra: { limit_bytes: limit, size_bytes: bytes },
  });

/** `Host` is the caller's to choose: one that is no host gives a neutral origin. */
function originHost(request: IncomingMessage): string {
  const host = request.headers.host ?? "";
  return /^[a-zA-Z0-9.-]+(:\d{1,5})?$|^\[[0-9a-fA-F:]+\](:\d{1,5})?$/.test(host) ? host : "localhost";
}

/** Ends the call when its caller goes away, and when its deadline passes without a word of a worker. */
function watch(call: Call, deps: GatewayDeps): void {
  const id = call.job.invocation;
  const left = call.job.deadline_ms - Date.now();
  const deadline = setTimeout(() => {
    if (call.state !== "queued") return;
    deps.calls.remove(id);
    void deps.producer.removeInvoke(id);
    answerFault(call, "no_capacity", "no worker took the call before its deadline; nothing was run");
  }, left);
  const backstop = setTimeout(() => {
    // An answer that is complete may still be on its way to a slow caller.
    if (call.response.writableEnded) return;
    if (call.state === "running") answerFault(call, "timeout", "the function did not answer before its deadline");
    call.channel?.close();
  }, left + BACKSTOP_MS);
  call.response.once("close", () => {
    clearTimeout(deadline);
    clearTimeout(backstop);
    if (call.state === "queued") {
      deps.calls.remove(id);
      void deps.producer.removeInvoke(id);
    } else {
      call.channel?.close();
      settle(call, deps).catch((error) => deps.log.error({ err: error, invocation: id }, "the ledger cannot be read"));
    }
  });
}

/** The answer is over; its bill is on the way, or here already. The call can be shown until that is here. */
async function settle(call: Call, deps: GatewayDeps): Promise<void> {
  const id = call.job.invocation;
  deps.calls.settle(id);
  const entered = deps.settled.wait(id, SHOWN_MS);
  if (await deps.ledger.invocation(id)) deps.settled.tell(id);
  await entered;
  deps.calls.remove(id);
}
