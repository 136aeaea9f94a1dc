import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { deploy } from "../deploy/deploy.ts";
import { requestedSource } from "../deploy/request.ts";
import type { GatewayDeps } from "../deps.ts";
import { wantsStream } from "../http/record-stream.ts";
import { waitSeconds } from "../http/wait.ts";
import { buildView } from "../views.ts";
import { buildFault, followBuild, waitForBuild } from "./deploy.ts";

/** `POST /v1/builds`: a source in, an image out, under the tags that were asked for: sent, waited for and streamed as a deploy. */
export const imageBuildRoutes = (deps: GatewayDeps) =>
  new Hono<{ Bindings: HttpBindings }>().post("/builds", async (context) => {
    const seconds = waitSeconds(context.req);
    const begun = await deploy({ name: null, ...(await requestedSource(context)) }, deps);
    if (begun.kind === "same") throw new Error("a build of no function made a version");
    const { build } = begun;
    context.header("location", `/v1/builds/${build.id}`);
    if (wantsStream(context)) return followBuild(context, build, deps);
    if (seconds > 0) await waitForBuild(build.id, seconds * 1000, context.req.raw.signal, deps);
    const now = (await deps.catalog.build(build.id))!;
    if (now.status === "queued") return context.json({ build: { id: now.id, status: now.status } }, 202);
    if (now.status !== "done") throw buildFault(now);
    return context.json(buildView(now), 200);
  });
