import { parseArgs } from "node:util";
import { type Home, makeHome } from "./home.ts";
import { bundlePrograms } from "./prepare/bundles.ts";
import { makeImages } from "./prepare/images.ts";
import { buildNative } from "./prepare/native.ts";
import { ensureSystemUser } from "./prepare/system-user.ts";
import { showHello } from "./show-hello.ts";
import { lockHome } from "./supervisor/lock.ts";
import { ServiceLogs } from "./supervisor/service-logs.ts";
import { type RunningSystem, startSystem } from "./supervisor/supervisor.ts";

const HELP = `npm start [-- options]

Starts Mayfly: Redis, gateway and worker, then deploys the function hello, calls it once and shows its bill.

  --once       stop after that and exit 0
  --verbose    show the services' own logs
  --help       this text

Environment
  MAYFLY_HOME          all state (default /var/lib/mayfly)
  MAYFLY_LISTEN        gateway's address (default 127.0.0.1:8080)
  MAYFLY_KEY           admin key (default: made on first start, kept in $MAYFLY_HOME/key)
  MAYFLY_REDIS_URL     an existing Redis or Valkey, 6.2 or later (default: a private one)
  MAYFLY_CONCURRENCY   boxes serving at once (default 4 for each core)
  MAYFLY_NURSERY       on: fork booted runtimes into boxes (default off; docs/decisions/0006)

Exit status: 0 stopped or done, 78 the machine or its set-up, 1 anything else.
`;

/** `npm start` under Node 24: set-up that needs our own code, then the supervisor, until it is told to stop. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { once: { type: "boolean" }, verbose: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = signalled();
  const say = (line: string) => process.stderr.write(`setup  ${line}\n`);
  const runAs = ensureSystemUser(say);
  const home = makeHome(process.env.MAYFLY_HOME ?? "/var/lib/mayfly", runAs, process.env.MAYFLY_KEY);
  const lock = await lockHome(home.supervisorSocket);
  try {
    const native = await buildNative(say);
    await makeImages(home, await bundlePrograms(say), say);
    if (stop.signal.aborted) return stop.code();
    const logs = new ServiceLogs(home.path, values.verbose === true);
    const system = await startSystem({
      home,
      runAs,
      native,
      listen: process.env.MAYFLY_LISTEN ?? "127.0.0.1:8080",
      redisUrl: process.env.MAYFLY_REDIS_URL,
      concurrency: process.env.MAYFLY_CONCURRENCY,
      nursery: process.env.MAYFLY_NURSERY,
      logLevel: process.env.MAYFLY_LOG_LEVEL ?? "info",
      say: (line) => process.stderr.write(`mayfly  ${line}\n`),
      serviceLog: (service, line) => logs.write(service, line),
    });
    try {
      return await run(system, home, values.once === true, stop);
    } finally {
      await system.stop();
      logs.close();
    }
  } finally {
    lock.release();
  }
}

async function run(system: RunningSystem, home: Home, once: boolean, stop: Stop): Promise<number> {
  await showHello(system, home, stop.signal);
  if (once || stop.signal.aborted) return once ? 0 : stop.code();
  process.stdout.write("\nRunning. Ctrl-C stops everything.\n");
  await new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
  process.stderr.write("mayfly  stopping\n");
  return stop.code();
}

interface Stop {
  readonly signal: AbortSignal;
  code(): number;
}

/** Ctrl-C and SIGTERM ask for an orderly stop, which is a success. */
function signalled(): Stop {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => controller.abort());
  return { signal: controller.signal, code: () => 0 };
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`mayfly: ${error.message}\n`);
    if (process.env.MAYFLY_LOG_LEVEL === "debug") process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
