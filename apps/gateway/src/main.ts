import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { Catalog } from "@mayfly/catalog";
import { defaultPriceTable, Ledger } from "@mayfly/ledger";
import { createProducer, listenChannel } from "@mayfly/queue";
import { pino } from "pino";
import { createApp } from "./app.ts";
import { CallRegistry } from "./calls/registry.ts";
import { onConnection } from "./channel-server.ts";
import { BuildLogs } from "./deploy/build-logs.ts";
import type { GatewayDeps } from "./deps.ts";
import { dropPrivileges } from "./drop-privileges.ts";
import { parseEnv } from "./env.ts";
import { Waiters } from "./waiters.ts";

/** Composition root: environment → no longer root → stores → queue → data channel → HTTP. One JSON line when all of it stands. */
const env = parseEnv(process.env);
dropPrivileges(env.runAs);
const log = pino({ name: "gateway", level: env.logLevel }, pino.destination({ fd: 2, sync: true }));
const data = join(env.home, "data");
const uploads = join(env.home, "uploads");
for (const dir of [data, uploads]) mkdirSync(dir, { recursive: true, mode: 0o700 });

const deps: GatewayDeps = {
  key: env.key,
  channel: env.channel,
  uploads,
  queueLimit: env.queueLimit,
  log,
  catalog: await Catalog.open(join(data, "catalog.sqlite")),
  ledger: await Ledger.open(join(data, "ledger.sqlite")),
  producer: createProducer({
    redis: env.redis,
    prefix: env.prefix,
    onError: (error) => log.warn({ err: error.message }, "queue"),
  }),
  calls: new CallRegistry(),
  builds: new BuildLogs(),
  settled: new Waiters(),
  priceTable: defaultPriceTable(),
  workers: new Set(),
};
const channel = await listenChannel({
  path: env.channel,
  onConnection: (hello, connection) => void onConnection(hello, connection, deps),
});
const server = await listen();

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const made = serve(
      {
        fetch: createApp(deps).fetch,
        hostname: env.host,
        port: env.port,
        // A body may take as long as its call; a head may not. Node refuses what two parsers could read differently.
        serverOptions: { headersTimeout: 10_000, requestTimeout: 0, keepAliveTimeout: 5_000, maxHeaderSize: 16 * 1024 },
      },
      () => resolve(made as Server),
    );
    made.once("error", (error: NodeJS.ErrnoException) => {
      const busy =
        error.code === "EADDRINUSE" ? `${env.host}:${env.port} is taken; set MAYFLY_LISTEN=host:port` : error.message;
      reject(new Error(`cannot listen: ${busy}`));
    });
  });
}

const DRAIN_MS = 15_000;
let stopping = false;
/** Takes nothing new, finishes what is under way, then ends. */
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  server.close();
  server.closeIdleConnections();
  const deadline = Date.now() + DRAIN_MS;
  while (deps.calls.count((call) => call.state !== "settling") > 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  server.closeAllConnections();
  channel.close();
  await Promise.race([deps.producer.close(), new Promise((resolve) => setTimeout(resolve, 1_000))]);
  await deps.catalog.close();
  await deps.ledger.close();
  process.exit(0);
}
process.once("SIGTERM", () => void stop());
process.on("SIGINT", () => {}); // Ctrl-C reaches the whole group; the supervisor says when
process.stdin.once("close", () => void stop()).resume();
process.stdout.write(
  `${JSON.stringify({ ready: true, url: `http://${env.host.includes(":") ? `[${env.host}]` : env.host}:${env.port}` })}\n`,
);
