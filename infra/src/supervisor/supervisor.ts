import type { Home, RunAs } from "../home.ts";
import type { Services } from "../prepare/bundles.ts";
import { clearRedisSocket, redisService } from "./redis.ts";
import { readyLine, Service, type ServiceSpec } from "./service.ts";

export interface SystemOptions {
  readonly home: Home;
  readonly runAs: RunAs;
  readonly native: string;
  readonly services: Services;
  readonly listen: string;
  readonly redisUrl: string | undefined;
  readonly concurrency: string | undefined;
  readonly nursery: "on" | "off";
  readonly readyMemory: number | undefined;
  readonly logLevel: string;
  readonly buildVariables: Readonly<Record<string, string>>;
  readonly buildCa: string | undefined;
  readonly egressAllow: string | undefined;
  readonly registries: string | undefined;
  readonly registryCa: string | undefined;
  /** One line for a person about what the supervisor does. */
  readonly say: (line: string) => void;
  /** A line of a service's own log. */
  readonly serviceLog: (service: string, line: string) => void;
}

export interface RunningSystem {
  readonly url: string;
  readonly cgroup: string;
  pids(): Record<string, number | undefined>;
  stop(): Promise<void>;
}

/**
 * Bodies pass through both processes as buffers of 64 KiB, which Node frees when it collects its young generation: a small one is
 * collected often, so that a gigabyte that streams through does not first grow the process. What pulls and pushes collects it itself
 * besides (libs/image/src/bytes/collect.ts).
 */
export const NODE_FLAGS = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=1", "--expose-gc"];

/** Starts Redis, the gateway and a worker, in that order, each a process of its own; stops them in the order in which work drains. */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const { home, runAs, say } = options;
  const services: Service[] = [];
  const add = async (spec: ServiceSpec) => {
    const service = new Service(spec, say);
    services.push(service);
    await service.start();
    return service;
  };
  const log = (name: string) => (line: string) => options.serviceLog(name, line);
  let url = "";
  let cgroup = "";
  const stop = async () => {
    // Gateway first: it stops admitting and finishes what it holds; the worker then drains; Redis goes last.
    for (const name of ["gateway", "worker", "redis"]) await byName.get(name)?.stop();
  };
  const byName = new Map<string, Service>();
  try {
    if (!options.redisUrl) {
      clearRedisSocket(home);
      byName.set("redis", await add(redisService(home, runAs, log("redis"))));
    }
    const common = {
      PATH: process.env.PATH,
      LANG: "C.UTF-8",
      // Few arenas: buffers that are freed on one thread are used again by another.
      MALLOC_ARENA_MAX: "2",
      MAYFLY_HOME: home.path,
      MAYFLY_INSTANCE: home.instance,
      MAYFLY_REDIS_SOCKET: home.redisSocket,
      MAYFLY_REDIS_URL: options.redisUrl,
      // Several instances may share somebody's Redis; each takes its own jobs.
      MAYFLY_QUEUE_PREFIX: `mayfly-${home.instance}`,
      MAYFLY_CHANNEL: home.channelSocket,
      MAYFLY_CONCURRENCY: options.concurrency,
      MAYFLY_LOG_LEVEL: options.logLevel,
    };
    byName.set(
      "gateway",
      await add({
        name: "gateway",
        command: process.execPath,
        args: [...NODE_FLAGS, options.services.gateway],
        env: {
          ...common,
          MAYFLY_LISTEN: options.listen,
          MAYFLY_KEY: home.key,
          MAYFLY_RUN_AS: `${runAs.uid}:${runAs.gid}`,
        },
        cwd: "/",
        ready: async (child) => {
          const line = await readyLine(child);
          url = String(line.url ?? `http://${options.listen}`);
        },
        stderr: log("gateway"),
        stopMs: 20_000,
      }),
    );
    byName.set(
      "worker",
      await add({
        name: "worker",
        command: "setpriv",
        args: ["--pdeathsig=KILL", process.execPath, ...NODE_FLAGS, options.services.worker],
        env: {
          ...common,
          MAYFLY_NATIVE: options.native,
          MAYFLY_NURSERY: options.nursery,
          MAYFLY_BUILD_VARIABLES: JSON.stringify(options.buildVariables),
          MAYFLY_BUILD_CA: options.buildCa,
          MAYFLY_EGRESS_ALLOW: options.egressAllow,
          MAYFLY_REGISTRIES: options.registries,
          MAYFLY_REGISTRY_CA: options.registryCa,
          ...(options.readyMemory !== undefined && { MAYFLY_READY_BYTES: String(options.readyMemory) }),
        },
        cwd: "/",
        ready: async (child) => {
          cgroup = String((await readyLine(child)).cgroup);
        },
        stderr: log("worker"),
        stopMs: 20_000,
        sweeps: true,
      }),
    );
  } catch (error) {
    await stop();
    await Promise.all(services.map((service) => service.stop()));
    throw error;
  }
  return {
    url,
    cgroup,
    pids: () => Object.fromEntries([...byName].map(([name, service]) => [name, service.pid])),
    stop,
  };
}
