import { availableParallelism, hostname, totalmem } from "node:os";
import { type AllowedTarget, parseAllowedTargets, parseRegistries } from "@mayfly/contract";
import { z } from "zod";

const Variables = z.record(z.string(), z.string());

/** What the supervisor tells a worker. Read once, here; nothing else in the worker looks at the environment. */
const Env = z.object({
  MAYFLY_HOME: z.string().startsWith("/"),
  /** Name of this instance: parent of all its cgroups. */
  MAYFLY_INSTANCE: z.string().regex(/^[a-z0-9-]+$/),
  MAYFLY_REDIS_SOCKET: z.string().optional(),
  MAYFLY_REDIS_URL: z.string().optional(),
  MAYFLY_QUEUE_PREFIX: z.string().default("mayfly"),
  /** Where the gateway takes bills and build results: a socket path. */
  MAYFLY_CHANNEL: z.string(),
  /** Folder with `launcher`, `native.node`, `layer-tree`, `courier-cage`, `courier.mjs` and the nursery's layer. */
  MAYFLY_NATIVE: z.string(),
  /** `on`: runtimes are forked into their boxes (docs/decisions/0006); else they boot in them. */
  MAYFLY_NURSERY: z.enum(["on", "off"]).default("on"),
  /** Memory that boxes may hold while they wait for a request. */
  MAYFLY_READY_BYTES: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(Math.min(2 ** 30, Math.floor(totalmem() / 8))),
  MAYFLY_CONCURRENCY: z.coerce
    .number()
    .int()
    .positive()
    .default(4 * availableParallelism()),
  MAYFLY_LOG_LEVEL: z.string().default("info"),
  /** JSON: what programs of builds find in their environment besides their own. */
  MAYFLY_BUILD_VARIABLES: z
    .string()
    .default("{}")
    .transform((text) => Variables.parse(JSON.parse(text))),
  /** A file of certificates that they trust. */
  MAYFLY_BUILD_CA: z.string().startsWith("/").optional(),
  MAYFLY_EGRESS_ALLOW: z
    .string()
    .optional()
    .transform((text) => (text === undefined ? [] : parseAllowedTargets(text)))
    .pipe(z.custom<AllowedTarget[]>((targets) => targets !== null, "addresses, each with a port")),
  /** Where names without a registry's host are looked for. */
  MAYFLY_REGISTRIES: z
    .string()
    .optional()
    .transform((text) => (text === undefined ? undefined : parseRegistries(text)))
    .pipe(z.custom<string[] | undefined>((places) => places !== null, "registries, each with a path or none")),
  /** A file of certificates by which registries are known, besides those that Node has. */
  MAYFLY_REGISTRY_CA: z.string().startsWith("/").optional(),
});

export interface WorkerEnv {
  readonly home: string;
  readonly instance: string;
  readonly host: string;
  readonly redis: { readonly path: string } | { readonly url: string };
  readonly prefix: string;
  readonly channel: string;
  readonly native: string;
  readonly nursery: boolean;
  readonly readyBytes: number;
  readonly concurrency: number;
  readonly logLevel: string;
  readonly buildVariables: Readonly<Record<string, string>>;
  readonly buildCa: string | null;
  readonly allowed: readonly AllowedTarget[];
  /** Null: it was not said. */
  readonly registries: readonly string[] | null;
  readonly registryCa: string | null;
}

/** @throws Error naming each variable that cannot be used. */
export function parseEnv(raw: Record<string, string | undefined>): WorkerEnv {
  const parsed = Env.safeParse(raw);
  if (!parsed.success) throw new Error(`environment: ${z.prettifyError(parsed.error)}`);
  const env = parsed.data;
  const redis = env.MAYFLY_REDIS_URL
    ? { url: env.MAYFLY_REDIS_URL }
    : { path: env.MAYFLY_REDIS_SOCKET ?? `${env.MAYFLY_HOME}/run/redis.sock` };
  return {
    home: env.MAYFLY_HOME,
    instance: env.MAYFLY_INSTANCE,
    host: hostname(),
    redis,
    prefix: env.MAYFLY_QUEUE_PREFIX,
    channel: env.MAYFLY_CHANNEL,
    native: env.MAYFLY_NATIVE,
    nursery: env.MAYFLY_NURSERY === "on",
    readyBytes: env.MAYFLY_READY_BYTES,
    concurrency: env.MAYFLY_CONCURRENCY,
    logLevel: env.MAYFLY_LOG_LEVEL,
    buildVariables: env.MAYFLY_BUILD_VARIABLES,
    buildCa: env.MAYFLY_BUILD_CA ?? null,
    allowed: env.MAYFLY_EGRESS_ALLOW,
    registries: env.MAYFLY_REGISTRIES ?? null,
    registryCa: env.MAYFLY_REGISTRY_CA ?? null,
  };
}
