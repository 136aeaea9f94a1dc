import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { ImageTask } from "@mayfly/contract";
import { type Context, Hono } from "hono";
import type { GatewayDeps } from "../deps.ts";
import { download } from "../http/download.ts";
import { jsonBody } from "../http/json-body.ts";
import { followed } from "../requests/followed.ts";
import type { Asking } from "../requests/requests.ts";
import { taskOf } from "../requests/task.ts";

type App = { Bindings: HttpBindings };

/**
 * Images of the worker's store. A reference is one segment of the path: what is not a letter in it is percent-encoded
 * (`/v1/images/mayfly%2Fnode:24/history`).
 */
export const imageRoutes = (deps: GatewayDeps) =>
  new Hono<App>()
    .get("/images", (context) => json(context, { verb: "list" }, deps))
    .post("/images", (context) => asked(context, { verb: "load" }, deps, incoming(context)))
    .post("/images/gc", async (context) => {
      const keep = await deps.catalog.images();
      return asked(context, { ...(await members(context)), verb: "gc", keep }, deps);
    })
    .post("/images/fsck", async (context) => asked(context, { ...(await members(context)), verb: "fsck" }, deps))
    .get("/images/:reference", (context) => json(context, { verb: "inspect", ...named(context) }, deps))
    .put("/images/:reference", async (context) =>
      json(context, { ...(await members(context)), verb: "tag", ...named(context) }, deps),
    )
    .delete("/images/:reference", (context) => json(context, { verb: "untag", ...named(context) }, deps))
    .get("/images/:reference/history", (context) => json(context, { verb: "history", ...named(context) }, deps))
    .get("/images/:reference/log", (context) => json(context, { verb: "log", ...named(context) }, deps))
    .post("/images/:reference/rollback", async (context) =>
      json(context, { ...(await members(context)), verb: "rollback", ...named(context) }, deps),
    )
    .get("/images/:reference/archive", (context) => {
      const references = [context.req.param("reference"), ...(context.req.queries("also") ?? [])];
      return tar(context, { verb: "save", references, format: context.req.query("format") }, deps);
    })
    .get("/images/:reference/rootfs", (context) => tar(context, { verb: "export", ...named(context) }, deps))
    .put("/images/:reference/rootfs", (context) => {
      const [changes, message] = [context.req.queries("change"), context.req.query("message")];
      return asked(context, { verb: "import", ...named(context), changes, message }, deps, incoming(context));
    })
    .post("/images/:reference/pull", async (context) =>
      asked(context, { ...(await members(context)), verb: "pull", ...named(context) }, deps),
    )
    .post("/images/:reference/push", async (context) =>
      asked(context, { ...(await members(context)), verb: "push", ...named(context) }, deps),
    );

const named = (context: Context<App>) => ({ reference: context.req.param("reference") });
const members = async (context: Context<App>) => (await jsonBody(incoming(context))) ?? {};
const incoming = (context: Context<App>) => context.env.incoming as IncomingMessage;

/** Work that takes its time. */
async function asked(
  context: Context<App>,
  task: Record<string, unknown>,
  deps: GatewayDeps,
  body?: NonNullable<Asking["body"]>,
): Promise<Response> {
  const wanted = taskOf(ImageTask, task);
  return followed(context, (asking) => deps.images.ask(wanted, asking), deps, body);
}

async function json(context: Context<App>, task: Record<string, unknown>, { images }: GatewayDeps): Promise<Response> {
  return context.json((await images.ask(taskOf(ImageTask, task), { signal: context.req.raw.signal })) as object);
}

async function tar(context: Context<App>, task: Record<string, unknown>, deps: GatewayDeps): Promise<Response> {
  const bytes = await deps.images.bytes(taskOf(ImageTask, task), { signal: context.req.raw.signal });
  return download(context, bytes, "application/x-tar", deps);
}
