import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import type { GatewayDeps } from "./deps.ts";
import { requireKey } from "./http/auth.ts";
import { asFault } from "./http/failure.ts";
import { problemResponse } from "./http/problem-response.ts";
import { registryRoutes } from "./registry/routes.ts";
import { billRoutes } from "./routes/bills.ts";
import { boxRoutes } from "./routes/boxes.ts";
import { buildRoutes } from "./routes/builds.ts";
import { deployRoutes } from "./routes/deploy.ts";
import { functionRoutes } from "./routes/functions.ts";
import { imageBuildRoutes } from "./routes/image-builds.ts";
import { imageRoutes } from "./routes/images.ts";
import { invocationRoutes } from "./routes/invocations.ts";
import { healthRoutes, systemRoutes } from "./routes/system.ts";

/** Every route of the API. What is thrown below becomes a problem document here and nowhere else. */
export function createApp(deps: GatewayDeps): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.route("/", healthRoutes(deps));

  const v1 = new Hono<{ Bindings: HttpBindings }>();
  v1.use(requireKey(deps.key));
  for (const routes of [
    deployRoutes(deps),
    buildRoutes(deps),
    imageBuildRoutes(deps),
    functionRoutes(deps),
    imageRoutes(deps),
    boxRoutes(deps),
    invocationRoutes(deps),
    billRoutes(deps),
    systemRoutes(deps),
  ]) {
    v1.route("/", routes as Hono<{ Bindings: HttpBindings }>);
  }
  app.route("/v1", v1);
  app.route("/v2", registryRoutes(deps));

  app.notFound((context) => {
    const allowed = methodsOf(app, context.req.path);
    if (allowed.length > 0) {
      const detail = `${context.req.method} is not offered on ${context.req.path}`;
      return problemResponse("method_not_allowed", { detail, extra: { allow: allowed } }, context.req.path);
    }
    return problemResponse("not_found", { detail: `there is no route ${context.req.path}` }, context.req.path);
  });
  app.onError((error, context) => {
    const fault = asFault(error, context.req.path, deps.log);
    return problemResponse(fault.code, fault.details, context.req.path);
  });
  return app;
}

/** Methods that some route offers for this path. */
function methodsOf(app: Hono<{ Bindings: HttpBindings }>, path: string): string[] {
  const matches = (pattern: string) =>
    new RegExp(`^${pattern.replace(/:[a-z]+/g, "[^/]+").replace(/\*/g, ".*")}$`).test(path);
  const methods = app.routes
    .filter((route) => route.method !== "ALL" && matches(route.path))
    .flatMap((route) => (route.method === "GET" ? ["GET", "HEAD"] : [route.method]));
  return [...new Set(methods)];
}
