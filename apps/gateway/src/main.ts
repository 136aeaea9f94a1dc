import { setTimeout as sleep } from "node:timers/promises";
import { listenChannel } from "@mayfly/queue";
import { pino } from "pino";
import { onConnection } from "./channel-server.ts";
import { expireBuilds, resumeBuilds } from "./deploy/unfinished.ts";
import { dropPrivileges } from "./drop-privileges.ts";
import { parseEnv } from "./env.ts";
import { startServer } from "./http/server.ts";
import { createListener, createUpgrade } from "./listener.ts";
import { closeDeps, openDeps } from "./open-deps.ts";
import { keepSwept } from "./registry/sweeping.ts";

/** Composition root: environment → no longer root → stores → queue → data channel → HTTP. One JSON line when all of it stands. */
const env = parseEnv(process.env);
dropPrivileges(env.runAs);
const log = pino({ name: "gateway", level: env.logLevel }, pino.destination({ fd: 2, sync: true }));
const deps = await openDeps(env, log);
const channel = await listenChannel({
  path: env.channel,
  onConnection: (hello, connection) => void onConnection(hello, connection, deps),
});
const server = await startServer({
  listener: createListener(deps),
  upgrade: createUpgrade(deps),
  host: env.host,
  port: env.port,
}).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
const ended = new AbortController();
const expiry = expireBuilds(deps);
const sweeping = keepSwept(deps.registry, log);
resumeBuilds(deps, ended.signal).catch((error) => log.error({ err: error }, "builds cannot be taken up again"));

const DRAIN_MS = 15_000;
const REACH_MS = 2_000;
let stopping = false;
/** Takes nothing new, finishes what is under way, then ends. */
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  ended.abort();
  expiry.stop();
  server.close();
  server.closeIdleConnections();
  const deadline = Date.now() + DRAIN_MS;
  while (deps.calls.load().queued + deps.calls.load().running > 0 && Date.now() < deadline) await sleep(20);
  server.closeAllConnections();
  channel.close();
  await sweeping.stop();
  await closeDeps(deps);
  process.exit(0);
}
process.once("SIGTERM", () => void stop());
process.on("SIGINT", () => {}); // Ctrl-C reaches the whole group; the supervisor says when
process.stdin.once("close", () => void stop()).resume();
// Redis is there already, and it takes a moment to reach it. One that is away is no reason not to listen: callers are told then.
const answers = () =>
  deps.producer.ping().then(
    () => true,
    () => false,
  );
for (const until = Date.now() + REACH_MS; Date.now() < until && !(await answers()); ) await sleep(20);
const { port } = server.address() as { port: number };
const host = env.host.includes(":") ? `[${env.host}]` : env.host;
process.stdout.write(`${JSON.stringify({ ready: true, url: `http://${host}:${port}` })}\n`);
