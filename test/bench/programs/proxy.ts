import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { proxy } from "hono/proxy";

/**
 * The hop that our gateway is, and nothing else of it: the same server library hands each request on to `target` over kept connections.
 *
 *   node proxy.ts PORT TARGET
 */
const [port, target] = process.argv.slice(2);
const app = new Hono();
app.all("*", (c) => proxy(new URL(c.req.path, target), c.req));
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" });
