import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { LIVE } from "@mayfly/catalog";
import { BadSetting, BUILD_SETTINGS, DEFAULT_SETTINGS, Fault, parseSettings } from "@mayfly/contract";
import { type Context, Hono } from "hono";
import { flatSettings } from "../deploy/flat-settings.ts";
import type { GatewayDeps } from "../deps.ts";
import { jsonBody } from "../http/json-body.ts";
import { functionName, limitOf } from "../http/params.ts";
import { functionView, versionView } from "../views.ts";

type App = { Bindings: HttpBindings };

const missing = (what: string) => new Fault("not_found", { detail: `there is no ${what}` });

/** Functions, their versions and aliases. */
export const functionRoutes = (deps: GatewayDeps) =>
  new Hono<App>()
    .get("/functions", async (context) => {
      const limit = limitOf(context.req.query("limit"), 100);
      const rows = await deps.catalog.functions({ after: context.req.query("cursor"), limit });
      return context.json({
        functions: rows.map(functionView),
        cursor: rows.length === limit ? rows.at(-1)?.name : null,
      });
    })
    .get("/functions/:name", async (context) => {
      const row = await deps.catalog.function(context.req.param("name"));
      if (!row) throw missing(`function ${context.req.param("name")}`);
      return context.json(functionView(row));
    })
    .delete("/functions/:name", async (context) => {
      if (!(await deps.catalog.remove(context.req.param("name"), new Date().toISOString())))
        throw missing(`function ${context.req.param("name")}`);
      return context.body(null, 204);
    })
    .patch("/functions/:name", async (context) => {
      const live = await deps.catalog.version(functionName(context.req.param("name")), "live");
      if (!live) throw missing(`function ${context.req.param("name")}`);
      const settings = parseSettings(await changes(context), live.settings);
      for (const name of BUILD_SETTINGS) {
        if (JSON.stringify(settings[name]) !== JSON.stringify(live.settings[name] ?? DEFAULT_SETTINGS[name]))
          throw new BadSetting(name, "it decides what is built: deploy the source again with it");
      }
      const now = new Date().toISOString();
      const same = await deps.catalog.sameDeploy(live.function, live.source_digest, settings);
      if (same) await deps.catalog.point(live.function, LIVE, same.version, now);
      return context.json(versionView(same ?? (await deps.catalog.changeSettings(live, settings, now))));
    })
    .get("/functions/:name/versions", async (context) => {
      const versions = await deps.catalog.versions(context.req.param("name"));
      if (versions.length === 0) throw missing(`function ${context.req.param("name")}`);
      return context.json({ versions: versions.map(versionView) });
    })
    .get("/functions/:name/versions/:version", async (context) => {
      const { name, version } = context.req.param();
      const found = await deps.catalog.version(name, version);
      if (!found) throw missing(`version ${version} of ${name}`);
      return context.json(versionView(found));
    })
    .put("/functions/:name/aliases/:alias", async (context) => {
      const { name, alias } = context.req.param();
      const body = await jsonBody(context.env.incoming as IncomingMessage);
      if (!Number.isInteger(body?.version))
        throw new BadSetting("version", 'send {"version": N} with the number of a version');
      if (body?.weights !== undefined) throw new BadSetting("weights", "splitting is not offered in this version");
      if (/^\d/.test(functionName(alias)))
        throw new BadSetting("alias", "an alias does not start with a digit: that would be a version");
      if (!(await deps.catalog.version(name, String(body!.version))))
        throw missing(`version ${body!.version} of ${name}`);
      return context.json(await deps.catalog.point(name, alias, Number(body!.version), new Date().toISOString()));
    })
    .post("/functions/:name/aliases/:alias/rollback", async (context) => {
      const { name, alias } = context.req.param();
      const now = await deps.catalog.alias(name, alias);
      if (!now) throw missing(`alias ${alias} of ${name}`);
      if (now.previous === null)
        throw new Fault("conflict", { detail: `${name}@${alias} has pointed at nothing before v${now.version}` });
      return context.json(await deps.catalog.point(name, alias, now.previous, new Date().toISOString()));
    });

/** Settings of a PATCH: in the query, or as a JSON object. */
async function changes(context: Context<App>): Promise<[string, string | null][]> {
  const body = await jsonBody(context.env.incoming as IncomingMessage);
  return [...flatSettings(body ?? {}), ...new URL(context.req.url).searchParams];
}
