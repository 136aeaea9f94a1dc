import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { faultRow } from "@mayfly/contract";
import { ImageError } from "@mayfly/image";
import { type Context, Hono } from "hono";
import type { GatewayDeps } from "../deps.ts";
import { asFault } from "../http/failure.ts";
import { requireRegistryKey } from "./auth.ts";
import { blobRoute } from "./blobs.ts";
import { faultResponse, RegistryFault } from "./fault.ts";
import { catalogRoute, referrersRoute, tagsRoute } from "./listings.ts";
import { manifestRoute } from "./manifests.ts";
import { isPublished } from "./published.ts";
import type { RegistryRequest } from "./request.ts";
import { parseTarget, type Target } from "./target.ts";
import { beginRoute, uploadRoute } from "./upload-routes.ts";

type App = { Bindings: HttpBindings };

/** Methods of each kind of path; GET brings HEAD along. */
const METHODS: Record<Target["kind"], readonly string[]> = {
  base: ["GET", "HEAD"],
  catalog: ["GET", "HEAD"],
  blob: ["GET", "HEAD", "DELETE"],
  referrers: ["GET", "HEAD"],
  uploads: ["POST"],
  tags: ["GET", "HEAD"],
  upload: ["GET", "PATCH", "PUT", "DELETE"],
  manifest: ["GET", "HEAD", "PUT", "DELETE"],
};

/** The OCI distribution API, version 1.1. A name may have slashes: the path is read here, below the router. */
export const registryRoutes = (deps: GatewayDeps): Hono<App> =>
  new Hono<App>().all("*", async (context) => {
    const response = await answered(context, deps);
    response.headers.set("docker-distribution-api-version", "registry/2.0");
    return response;
  });

async function answered(context: Context<App>, deps: GatewayDeps): Promise<Response> {
  const url = new URL(context.req.url);
  const incoming = context.env.incoming as IncomingMessage;
  try {
    requireRegistryKey(context.req.header("authorization"), deps.key);
    const target = parseTarget(url.pathname);
    const { method } = context.req;
    const allowed = METHODS[target.kind];
    if (!allowed.includes(method)) {
      throw new RegistryFault("UNSUPPORTED", `${method} is not offered on ${url.pathname}`, {
        headers: { allow: allowed.join(", ") },
      });
    }
    if (WRITES.includes(method) && "repository" in target) requireFree(target.repository);
    const { registry: store, published, log } = deps;
    return await route(target, { method, url, incoming, store, published, log });
  } catch (error) {
    if (error instanceof RegistryFault) return faultResponse(error);
    // The client has gone, or a later request of it has taken over: nobody reads this.
    if (incoming.destroyed && !incoming.complete) return new Response(null, { status: 400 });
    if (isFull(error)) {
      deps.log.error({ err: error }, "the registry's disk is full");
      const body = { errors: [{ code: "UNKNOWN", message: "the registry's disk is full" }] };
      return Response.json(body, { status: 507 });
    }
    const fault = asFault(error, url.pathname, deps.log);
    const body = { errors: [{ code: "UNKNOWN", message: fault.details.detail }] };
    return Response.json(body, {
      status: faultRow(fault.code).status,
      headers: faultRow(fault.code).retry ? { "retry-after": "1" } : {},
    });
  }
}

const isFull = (error: unknown): boolean =>
  (error instanceof ImageError && error.reason === "no_space") ||
  ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");

const WRITES: readonly string[] = ["POST", "PATCH", "PUT"];

function requireFree(repository: string): void {
  if (!isPublished(repository)) return;
  throw new RegistryFault("DENIED", `what is below mayfly/ is made here; push to another name than ${repository}`);
}

function route(target: Target, request: RegistryRequest): Promise<Response> | Response {
  switch (target.kind) {
    case "base":
      return Response.json({});
    case "catalog":
      return catalogRoute(request);
    case "tags":
      return tagsRoute(request, target.repository);
    case "referrers":
      return referrersRoute(request, target.repository, target.digest);
    case "blob":
      return blobRoute(request, target.repository, target.digest);
    case "manifest":
      return manifestRoute(request, target.repository, target.reference);
    case "uploads":
      return beginRoute(request, target.repository);
    case "upload":
      return uploadRoute(request, target.repository, target.id);
  }
}
