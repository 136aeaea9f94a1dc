import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { BoxTask, encodeFrame, type Frame } from "@mayfly/contract";
import { type Context, Hono } from "hono";
import type { GatewayDeps } from "../deps.ts";
import { download } from "../http/download.ts";
import { jsonBody } from "../http/json-body.ts";
import { bytesOf } from "../requests/answer.ts";
import { followed } from "../requests/followed.ts";
import { taskOf } from "../requests/task.ts";

type App = { Bindings: HttpBindings };
const FRAMES = "application/vnd.mayfly.frames";

/** Kept boxes, by name, id, or how an id begins. Being attached is `boxes/attach.ts`. */
export const boxRoutes = (deps: GatewayDeps) =>
  new Hono<App>()
    .get("/boxes", (context) => json(context, { verb: "list", all: isOn(context, "all") }, deps))
    .post("/boxes", async (context) => {
      const { start, ...wanted } = await members(context);
      const made = await json(context, { verb: "create", wanted, start }, deps);
      return new Response(made.body, { status: 201, headers: made.headers });
    })
    .get("/boxes/:box", (context) => json(context, { verb: "inspect", ...named(context) }, deps))
    .delete("/boxes/:box", (context) =>
      json(context, { verb: "remove", force: isOn(context, "force"), ...named(context) }, deps),
    )
    .get("/boxes/:box/logs", (context) => logs(context, deps))
    .get("/boxes/:box/changes", (context) => json(context, { verb: "changes", ...named(context) }, deps))
    .get("/boxes/:box/rootfs", async (context) => {
      const task = taskOf(BoxTask, { verb: "export", ...named(context) });
      const bytes = await deps.boxes.bytes(task, { signal: context.req.raw.signal });
      return download(context, bytes, "application/x-tar", deps);
    })
    .post("/boxes/:box/:verb{start|stop|kill|pause|unpause|wait|commit}", async (context) => {
      const task = taskOf(BoxTask, { ...(await members(context)), verb: context.req.param("verb"), ...named(context) });
      return followed(context, (asking) => deps.boxes.ask(task, asking), deps);
    });

const named = (context: Context<App>) => ({ box: context.req.param("box") });
const isOn = (context: Context<App>, name: string) => ["", "true", "1"].includes(context.req.query(name) ?? "no");
const members = async (context: Context<App>) => (await jsonBody(context.env.incoming as IncomingMessage)) ?? {};

async function json(context: Context<App>, task: Record<string, unknown>, { boxes }: GatewayDeps): Promise<Response> {
  return context.json((await boxes.ask(taskOf(BoxTask, task), { signal: context.req.raw.signal })) as object);
}

/** What a box wrote, as it wrote it; as frames for whoever wants its two outputs apart. */
async function logs(context: Context<App>, deps: GatewayDeps): Promise<Response> {
  const task = taskOf(BoxTask, { verb: "logs", follow: isOn(context, "follow"), ...named(context) });
  const frames = await deps.boxes.frames(task, { signal: context.req.raw.signal });
  if (context.req.header("accept") !== FRAMES)
    return download(context, bytesOf(frames), "text/plain; charset=utf-8", deps);
  return download(context, encoded(frames), FRAMES, deps);
}

async function* encoded(frames: AsyncIterable<Frame>): AsyncGenerator<Uint8Array> {
  for await (const { type, payload } of frames) yield encodeFrame(type, payload);
}
