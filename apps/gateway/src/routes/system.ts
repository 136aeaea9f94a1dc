import { BUILD_CACHE_LIMITS, BUILD_TIMEOUT_MS, Fault, FIXED_LIMITS, LIMIT_BOUNDS, RUN_LIMITS } from "@mayfly/contract";
import { Hono } from "hono";
import type { GatewayDeps } from "../deps.ts";

/** What holds for everybody: limits and prices in force. */
export const systemRoutes = (deps: GatewayDeps) =>
  new Hono()
    .get("/limits", (context) =>
      context.json({
        per_function: LIMIT_BOUNDS,
        fixed: FIXED_LIMITS,
        build: { timeout_ms: BUILD_TIMEOUT_MS, run: RUN_LIMITS, cache: BUILD_CACHE_LIMITS },
        queue: { waiting_calls: deps.queueLimit },
      }),
    )
    .get("/pricing", (context) => {
      const { sha256, ...table } = deps.priceTable;
      return context.json({
        ...table,
        sha256,
        rounding: "each line: exact integers of 1e-12, one rounding half to even; total = sum of lines",
      });
    });

/** For supervisors and load balancers; no key. */
export const healthRoutes = (deps: GatewayDeps) =>
  new Hono()
    .get("/healthz", (context) => context.json({ status: "ok" }))
    .get("/readyz", async (context) => {
      try {
        await deps.producer.ping();
      } catch (cause) {
        throw new Fault("unavailable", { detail: "the queue does not answer", cause });
      }
      if (deps.workers.size === 0) throw new Fault("unavailable", { detail: "no worker is connected" });
      return context.json({ status: "ready", workers: deps.workers.size });
    })
    .get("/", (context) =>
      context.text(
        "Mayfly: PUT /v1/functions/{name} deploys, /fn/{name} calls, GET /v1/invocations/{id} shows the bill.\n",
      ),
    );
