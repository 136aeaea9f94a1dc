import type { HttpBindings } from "@hono/node-server";
import { type Build, LIVE } from "@mayfly/catalog";
import { Fault, type FunctionName, toProblem } from "@mayfly/contract";
import { type Context, Hono } from "hono";
import { deploy } from "../deploy/deploy.ts";
import { requestedSource } from "../deploy/request.ts";
import type { GatewayDeps } from "../deps.ts";
import { functionName } from "../http/params.ts";
import { streamed, wantsStream } from "../http/record-stream.ts";
import { waitSeconds } from "../http/wait.ts";
import { imageOf, versionView } from "../views.ts";

type App = { Bindings: HttpBindings };

/** `PUT /v1/functions/{name}`: a source in, a version out: at once, after a wait, or with the log streamed while it is built. */
export const deployRoutes = (deps: GatewayDeps) =>
  new Hono<App>().put("/functions/:name", async (context) => {
    const name = functionName(context.req.param("name"));
    const seconds = waitSeconds(context.req);
    const deployed = await deploy({ name, ...(await requestedSource(context)) }, deps);
    if (deployed.kind === "same") {
      const view = { ...versionView(deployed.version), url: functionUrl(context, name), unchanged: true };
      return wantsStream(context)
        ? streamed(context, [{ ...resultBase(), status: "done", version: view.version, url: view.url, function: name }])
        : context.json(view, 200);
    }
    const { build } = deployed;
    context.header("location", `/v1/builds/${build.id}`);
    if (wantsStream(context)) return followBuild(context, build, deps);
    if (seconds > 0) await waitForBuild(build.id, seconds * 1000, context.req.raw.signal, deps);
    return answer(context, name, (await deps.catalog.build(build.id))!, deps);
  });

/** Until the build has ended or the time is over. */
export async function waitForBuild(id: string, ms: number, signal: AbortSignal, deps: GatewayDeps): Promise<void> {
  const waiting = deps.settled.wait(id, ms, signal);
  // It may have ended between the queue and our waiting.
  if ((await deps.catalog.build(id))?.status !== "queued") deps.settled.tell(id);
  await waiting;
}

async function answer(context: Context<App>, name: FunctionName, build: Build, deps: GatewayDeps): Promise<Response> {
  if (build.status === "queued")
    return context.json({ function: name, build: { id: build.id, status: build.status } }, 202);
  if (build.status === "done") {
    const version = (await deps.catalog.version(name, String(build.version)))!;
    return context.json(
      { ...versionView(version), url: functionUrl(context, name) },
      version.version === 1 ? 201 : 200,
    );
  }
  throw buildFault(build);
}

export function buildFault(build: Build): Fault {
  if (build.status === "canceled") return new Fault("conflict", { detail: `build ${build.id} was canceled` });
  const error = build.result?.outcome.status === "error" ? build.result.outcome.error : null;
  const code = error?.code ?? "internal";
  const { message = "the build ended without a result", hint, locations, exports } = error ?? {};
  const tail =
    build.result?.log_tail.filter((record) => record.status === "log" || record.status === "error").slice(-20) ?? [];
  return new Fault(code, { detail: message, hint, extra: { build: build.id, locations, exports, log_tail: tail } });
}

const functionUrl = (context: Context<App>, name: FunctionName): string =>
  `${new URL(context.req.url).origin}/fn/${name}`;

const resultBase = () => ({ ts: new Date().toISOString(), seq: 0, step: "result" });

/** The log while it happens; the last record says how it ended, because the status line is long gone. */
export function followBuild(context: Context<App>, build: Build, deps: GatewayDeps): Response {
  const origin = new URL(context.req.url).origin;
  async function* records(signal: AbortSignal) {
    let seq = 0;
    for await (const record of deps.builds.follow(build.id, signal)) {
      seq = record.seq;
      yield record;
    }
    if (signal.aborted) return;
    const ended = (await deps.catalog.build(build.id))!;
    const base = { ...resultBase(), seq: seq + 1, build: ended.id };
    if (ended.status === "done" && ended.function === null) yield { ...base, status: "done", ...imageOf(ended) };
    else if (ended.status === "done")
      yield {
        ...base,
        status: "done",
        function: ended.function,
        version: ended.version,
        url: `${origin}/fn/${ended.function}`,
        alias: LIVE,
      };
    else {
      const fault = buildFault(ended);
      const { detail: message, ...problem } = toProblem(fault.code, fault.details);
      const of = ended.function === null ? {} : { function: ended.function };
      yield { ...base, ...of, status: "error", error: { ...problem, message } };
    }
  }
  return streamed(context, records(context.req.raw.signal));
}
