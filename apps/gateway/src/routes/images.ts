import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { Fault, ImageTask } from "@mayfly/contract";
import { type Context, Hono } from "hono";
import type { GatewayDeps } from "../deps.ts";
import { jsonBody } from "../http/json-body.ts";
import { followed } from "../images/followed.ts";

type App = { Bindings: HttpBindings };

/**
 * Images of the worker's store. A reference is one segment of the path: what is not a letter in it is percent-encoded
 * (`/v1/images/mayfly%2Fnode:24/history`).
 */
export const imageRoutes = (deps: GatewayDeps) =>
  new Hono<App>()
    .get("/images", (context) => json(context, { verb: "list" }, deps))
    .post("/images", (context) => followed(context, { verb: "load" }, deps, incoming(context)))
    .post("/images/gc", async (context) => {
      const keep = await deps.catalog.images();
      return followed(context, taskOf({ ...(await members(context)), verb: "gc", keep }), deps);
    })
    .post("/images/fsck", async (context) =>
      followed(context, taskOf({ ...(await members(context)), verb: "fsck" }), deps),
    )
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
      return followed(
        context,
        taskOf({ verb: "import", ...named(context), changes, message }),
        deps,
        incoming(context),
      );
    })
    .post("/images/:reference/pull", async (context) =>
      followed(context, taskOf({ ...(await members(context)), verb: "pull", ...named(context) }), deps),
    )
    .post("/images/:reference/push", async (context) =>
      followed(context, taskOf({ ...(await members(context)), verb: "push", ...named(context) }), deps),
    );

const named = (context: Context<App>) => ({ reference: context.req.param("reference") });
const members = async (context: Context<App>) => (await jsonBody(incoming(context))) ?? {};
const incoming = (context: Context<App>) => context.env.incoming as IncomingMessage;

/** @throws Fault bad_request naming the member that is wrong */
function taskOf(value: Record<string, unknown>): ImageTask {
  const parsed = ImageTask.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".");
  throw new Fault("bad_request", { detail: `${where ? `${where}: ` : ""}${issue?.message}` });
}

async function json(context: Context<App>, task: Record<string, unknown>, { images }: GatewayDeps): Promise<Response> {
  return context.json((await images.ask(taskOf(task), { signal: context.req.raw.signal })) as object);
}

/** What cannot be given whole cuts the connection: its head is gone already. */
async function tar(
  context: Context<App>,
  task: Record<string, unknown>,
  { images, log }: GatewayDeps,
): Promise<Response> {
  const bytes = await images.bytes(taskOf(task), { signal: context.req.raw.signal });
  const guarded = async function* () {
    try {
      yield* bytes;
    } catch (error) {
      log.error({ err: error }, "an archive of images could not be given whole");
      incoming(context).socket.destroy();
    }
  };
  const stream = ReadableStream.from(guarded()) as unknown as ReadableStream;
  return new Response(stream, { headers: { "content-type": "application/x-tar" } });
}
