import type { HttpBindings } from "@hono/node-server";
import { Fault } from "@mayfly/contract";
import { Hono } from "hono";
import { settleBuild } from "../deploy/settle.ts";
import type { GatewayDeps } from "../deps.ts";
import { waitSeconds } from "../http/wait.ts";
import { buildView } from "../views.ts";
import { followBuild, waitForBuild } from "./deploy.ts";

/** Builds: how they stand, their log, and stopping one. */
export const buildRoutes = (deps: GatewayDeps) =>
  new Hono<{ Bindings: HttpBindings }>()
    .get("/builds/:id", async (context) => {
      const seconds = waitSeconds(context.req);
      if (seconds > 0) await waitForBuild(context.req.param("id"), seconds * 1000, context.req.raw.signal, deps);
      return context.json(buildView(await find(context.req.param("id"), deps)));
    })
    .get("/builds/:id/log", async (context) => {
      const build = await find(context.req.param("id"), deps);
      if (build.status === "queued") return followBuild(context, build, deps);
      const lines = build.result?.log_tail.map((record) => `${JSON.stringify(record)}\n`) ?? [];
      return context.body(lines.join(""), 200, { "content-type": "application/x-ndjson" });
    })
    .delete("/builds/cache", async (context) => {
      const text = context.req.query("unused_s") ?? "0";
      if (!/^\d{1,10}$/.test(text))
        throw new Fault("bad_request", { detail: `unused_s=${text} is no number of seconds` });
      const task = { verb: "prune_builds", unused_s: Number(text) } as const;
      return context.json((await deps.images.ask(task, { signal: context.req.raw.signal })) as object);
    })
    .delete("/builds/:id", async (context) => {
      const build = await find(context.req.param("id"), deps);
      if (!(await deps.catalog.cancelBuild(build.id, new Date().toISOString()))) {
        throw new Fault("conflict", { detail: `build ${build.id} has ended already: ${build.status}` });
      }
      deps.building.cancel(build.id);
      await deps.producer.removeBuild(build.id);
      await settleBuild(build.id, deps);
      return context.json(buildView(await find(build.id, deps)));
    });

async function find(id: string, deps: GatewayDeps) {
  const build = await deps.catalog.build(id);
  if (!build) throw new Fault("not_found", { detail: `there is no build ${id}` });
  return build;
}
