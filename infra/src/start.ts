import { requireRedis } from "@mayfly/queue";
import { type Home, makeHome } from "./home.ts";
import { bundlePrograms, bundleServices } from "./prepare/bundles.ts";
import { makeImages } from "./prepare/images.ts";
import { buildNative } from "./prepare/native.ts";
import { ensureSystemUser } from "./prepare/system-user.ts";
import { showHello } from "./show-hello.ts";
import { BadOption, startOptions } from "./start-options.ts";
import { lockHome } from "./supervisor/lock.ts";
import { ServiceLogs } from "./supervisor/service-logs.ts";
import { type RunningSystem, startSystem } from "./supervisor/supervisor.ts";

/** `npm start` under Node 24: set-up that needs our own code, then the supervisor, until it is told to stop. */
async function main(): Promise<number> {
  const options = startOptions(process.argv.slice(2), process.env);
  const stop = signalled();
  // Who reads this may be gone, with a terminal too; what runs is taken down all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const say = (line: string) => process.stderr.write(`setup  ${line}\n`);
  const runAs = ensureSystemUser(say);
  const home = makeHome(options.home, runAs, options.key);
  const lock = await lockHome(home.supervisorSocket);
  try {
    const native = await buildNative(say);
    const services = await bundleServices(say);
    await makeImages({ images: home.images, bundles: await bundlePrograms(say), native, say });
    if (stop.aborted) return STOPPED;
    if (options.redisUrl) {
      await requireRedis(options.redisUrl).catch((error: Error) => {
        throw new BadOption(`MAYFLY_REDIS_URL: ${error.message}`);
      });
    }
    const logs = new ServiceLogs(home.path, options.verbose);
    const system = await startSystem({
      home,
      runAs,
      native,
      services,
      listen: options.listen,
      redisUrl: options.redisUrl,
      concurrency: options.concurrency,
      nursery: options.nursery,
      readyMemory: options.readyMemory,
      logLevel: options.logLevel,
      buildVariables: options.buildVariables,
      buildCa: options.buildCa,
      egressAllow: options.egressAllow,
      registries: options.registries,
      registryCa: options.registryCa,
      say: (line) => process.stderr.write(`mayfly  ${line}\n`),
      serviceLog: (service, line) => logs.write(service, line),
    });
    try {
      return await run(system, home, options.once, stop);
    } finally {
      await system.stop();
      logs.close();
    }
  } finally {
    lock.release();
  }
}

async function run(system: RunningSystem, home: Home, once: boolean, stop: AbortSignal): Promise<number> {
  try {
    await showHello(system, home, stop);
  } catch (error) {
    if (!stop.aborted) throw error;
  }
  if (stop.aborted) return STOPPED;
  if (once) return 0;
  process.stdout.write("\nRunning. Ctrl-C stops everything.\n");
  await new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
  process.stderr.write("mayfly  stopping\n");
  return 0;
}

/** As a shell has it for Ctrl-C: told to stop before it had begun. Once it runs, being stopped is how it ends. */
const STOPPED = 130;

function signalled(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`mayfly: ${error.message}\n`);
    process.exit(error instanceof BadOption ? 78 : 1);
  },
);
