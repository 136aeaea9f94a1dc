import { availableParallelism } from "node:os";
import { z } from "zod";

/** What the supervisor tells the gateway. Read once; nothing else looks at the environment. */
const Env = z.object({
  MAYFLY_HOME: z.string().startsWith("/"),
  MAYFLY_LISTEN: z.string().regex(/^(.+):(\d+)$/, "host:port"),
  MAYFLY_KEY: z.string().min(8),
  MAYFLY_CHANNEL: z.string(),
  MAYFLY_REDIS_SOCKET: z.string().optional(),
  MAYFLY_REDIS_URL: z.string().optional(),
  MAYFLY_QUEUE_PREFIX: z.string().default("mayfly"),
  /** uid:gid to become before anything is opened. */
  MAYFLY_RUN_AS: z
    .string()
    .regex(/^\d+:\d+$/)
    .optional(),
  MAYFLY_CONCURRENCY: z.coerce
    .number()
    .int()
    .positive()
    .default(4 * availableParallelism()),
  MAYFLY_LOG_LEVEL: z.string().default("info"),
});

export interface GatewayEnv {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly channel: string;
  readonly redis: { readonly path: string } | { readonly url: string };
  readonly prefix: string;
  readonly runAs: { readonly uid: number; readonly gid: number } | null;
  /** Calls that may wait for a worker; more are answered with 503 at once. */
  readonly queueLimit: number;
  readonly logLevel: string;
}

/** @throws Error naming each variable that cannot be used */
export function parseEnv(raw: Record<string, string | undefined>): GatewayEnv {
  const parsed = Env.safeParse(raw);
  if (!parsed.success) throw new Error(`environment: ${z.prettifyError(parsed.error)}`);
  const env = parsed.data;
  const at = env.MAYFLY_LISTEN.lastIndexOf(":");
  const [uid, gid] = env.MAYFLY_RUN_AS?.split(":").map(Number) ?? [];
  return {
    home: env.MAYFLY_HOME,
    host: env.MAYFLY_LISTEN.slice(0, at).replace(/^\[(.*)\]$/, "$1"),
    port: Number(env.MAYFLY_LISTEN.slice(at + 1)),
    key: env.MAYFLY_KEY,
    channel: env.MAYFLY_CHANNEL,
    redis: env.MAYFLY_REDIS_URL
      ? { url: env.MAYFLY_REDIS_URL }
      : { path: env.MAYFLY_REDIS_SOCKET ?? `${env.MAYFLY_HOME}/run/redis.sock` },
    prefix: env.MAYFLY_QUEUE_PREFIX,
    runAs: uid === undefined || gid === undefined ? null : { uid, gid },
    queueLimit: 16 * env.MAYFLY_CONCURRENCY,
    logLevel: env.MAYFLY_LOG_LEVEL,
  };
}
