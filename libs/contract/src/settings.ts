import { z } from "zod";
import { parseBytes, parseCpu, parseDuration } from "./unit.ts";

const MiB = 1024 * 1024;

export const CONTRACTS = ["fetch", "lambda", "http", "cgi"] as const;
export type Contract = (typeof CONTRACTS)[number];

/** Every limit of a function with what it may be, for validation and for `GET /v1/limits`. */
export const LIMIT_BOUNDS = {
  memory_bytes: { min: 16 * MiB, max: 16 * 1024 * MiB, default: 128 * MiB },
  cpu_millis: { min: 50, max: 64_000, default: 1000 },
  cpu_weight: { min: 1, max: 10_000, default: 100 },
  timeout_ms: { min: 100, max: 900_000, default: 30_000 },
  tmp_bytes: { min: 1 * MiB, max: 4096 * MiB, default: 64 * MiB },
  pids: { min: 8, max: 4096, default: 64 },
  concurrency: { min: 1, max: 1000, default: 100 },
} as const;

/** Limits that hold for every function and that nobody sets per function. */
export const FIXED_LIMITS = {
  /** One deploy's upload, as sent. */
  source_bytes: 64 * MiB,
  /** An invocation's log; what is written beyond it is counted and dropped, and the log says so. */
  log_bytes: 1 * MiB,
  /** Request and response bodies stream; these bound them all the same. */
  request_bytes: 16 * 1024 * MiB,
  response_bytes: 16 * 1024 * MiB,
  open_files: 1024,
  /** Of the registry: a manifest, and one blob as stored. An image is its blobs together. */
  manifest_bytes: 4 * MiB,
  blob_bytes: 16 * 1024 * MiB,
  image_bytes: 32 * 1024 * MiB,
  /** An upload to the registry to which nothing was added for so long is forgotten. */
  upload_idle_ms: 24 * 3_600_000,
  /** Environment of a function, names and values together. */
  env_bytes: 64 * 1024,
} as const;

export interface Limits {
  readonly memory_bytes: number;
  readonly cpu_millis: number;
  readonly cpu_weight: number;
  readonly timeout_ms: number;
  readonly tmp_bytes: number;
  readonly pids: number;
  readonly concurrency: number;
}

/** Complete settings of one version. Nothing is optional: defaults are applied at the door. */
export interface Settings extends Limits {
  readonly network: "none" | "egress";
  readonly access: "public" | "key";
  /** `null`: to be detected by the build. */
  readonly contract: Contract | null;
  /** Path of the entry module inside a project, or null to look for the usual ones. */
  readonly entry: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly label: Readonly<Record<string, string>>;
}

export const DEFAULT_SETTINGS: Settings = {
  memory_bytes: LIMIT_BOUNDS.memory_bytes.default,
  cpu_millis: LIMIT_BOUNDS.cpu_millis.default,
  cpu_weight: LIMIT_BOUNDS.cpu_weight.default,
  timeout_ms: LIMIT_BOUNDS.timeout_ms.default,
  tmp_bytes: LIMIT_BOUNDS.tmp_bytes.default,
  pids: LIMIT_BOUNDS.pids.default,
  concurrency: LIMIT_BOUNDS.concurrency.default,
  network: "none",
  access: "public",
  contract: null,
  entry: null,
  env: {},
  label: {},
};

/** A setting that could not be used: which one, what was wrong, what would be right. */
export class BadSetting extends Error {
  readonly setting: string;
  constructor(setting: string, message: string) {
    super(`${setting}: ${message}`);
    this.name = "BadSetting";
    this.setting = setting;
  }
}

const QUANTITIES: Record<string, { field: keyof Limits; parse: (text: string) => number | null; like: string }> = {
  memory: { field: "memory_bytes", parse: parseBytes, like: "128MiB" },
  cpu: { field: "cpu_millis", parse: parseCpu, like: "0.5 or 500m" },
  weight: { field: "cpu_weight", parse: (t) => (/^\d+$/.test(t) ? Number(t) : null), like: "100" },
  timeout: { field: "timeout_ms", parse: parseDuration, like: "30s" },
  tmp: { field: "tmp_bytes", parse: parseBytes, like: "64MiB" },
  pids: { field: "pids", parse: (t) => (/^\d+$/.test(t) ? Number(t) : null), like: "64" },
  concurrency: { field: "concurrency", parse: (t) => (/^\d+$/.test(t) ? Number(t) : null), like: "100" },
};
const CHOICES = {
  network: ["none", "egress"],
  access: ["public", "key"],
  contract: CONTRACTS,
} as const;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const RESERVED_ENV = /^MAYFLY_/;

/** Query parameters that belong to the deploy request itself and are no settings. */
export const REQUEST_PARAMETERS = ["wait"] as const;

/**
 * Reads settings as they stand in query parameters or in the `config` part: `memory=128MiB`, `env.KEY=VALUE`.
 * What is not named carries over from `base` (the version before, or DEFAULT_SETTINGS). null puts a setting back to its default and takes
 * a variable or a label away.
 * @throws BadSetting naming the first setting that cannot be used; `base` is never changed.
 */
export function parseSettings(pairs: Iterable<readonly [string, string | null]>, base: Settings): Settings {
  const next: Record<string, unknown> = { ...base };
  const env = { ...base.env };
  const label = { ...base.label };
  for (const [name, value] of pairs) {
    const quantity = Object.hasOwn(QUANTITIES, name) ? QUANTITIES[name] : undefined;
    if (quantity)
      next[quantity.field] = value === null ? DEFAULT_SETTINGS[quantity.field] : readQuantity(name, value, quantity);
    else if (name === "network" || name === "access" || name === "contract")
      next[name] = value === null ? DEFAULT_SETTINGS[name] : readChoice(name, value);
    else if (name === "entry") next.entry = value === null ? DEFAULT_SETTINGS.entry : readEntry(value);
    else if (name.startsWith("env.")) setEnv(env, name.slice(4), value);
    else if (name.startsWith("label.")) setLabel(label, name.slice(6), value);
    else if (!(REQUEST_PARAMETERS as readonly string[]).includes(name)) {
      throw new BadSetting(
        name,
        `no such setting; there are ${[...Object.keys(QUANTITIES), ...Object.keys(CHOICES), "entry", "env.KEY", "label.KEY"].join(", ")}`,
      );
    }
  }
  const size = Object.entries(env).reduce((sum, [k, v]) => sum + Buffer.byteLength(k) + Buffer.byteLength(v) + 2, 0);
  if (size > FIXED_LIMITS.env_bytes) {
    throw new BadSetting("env", `the environment takes ${size} bytes, the limit is ${FIXED_LIMITS.env_bytes}`);
  }
  return { ...(next as unknown as Settings), env, label };
}

function readQuantity(name: string, value: string, q: (typeof QUANTITIES)[string]): number {
  const parsed = q.parse(value);
  const { min, max } = LIMIT_BOUNDS[q.field];
  if (parsed === null) throw new BadSetting(name, `cannot read ${JSON.stringify(value)}; write it like ${q.like}`);
  if (parsed < min || parsed > max) {
    throw new BadSetting(name, `${value} is outside of ${min} to ${max} (${q.field})`);
  }
  return parsed;
}

function readChoice(name: keyof typeof CHOICES, value: string): string {
  if ((CHOICES[name] as readonly string[]).includes(value)) return value;
  throw new BadSetting(name, `${JSON.stringify(value)} is none of ${CHOICES[name].join(", ")}`);
}

function readEntry(value: string): string {
  const parts = value.split("/");
  if (value === "" || value.startsWith("/") || parts.includes("..") || /[\0\\]/.test(value)) {
    throw new BadSetting("entry", `${JSON.stringify(value)} is no path inside the project; write it like src/index.ts`);
  }
  return value;
}

function setEnv(env: Record<string, string>, key: string, value: string | null): void {
  if (!ENV_NAME.test(key))
    throw new BadSetting(`env.${key}`, "a name is letters, digits and '_', not starting with a digit");
  if (key === "__proto__") throw new BadSetting(`env.${key}`, "this name would be lost on its way");
  if (RESERVED_ENV.test(key))
    throw new BadSetting(`env.${key}`, "names that start with MAYFLY_ are set by the platform");
  if (value === null) {
    delete env[key];
    return;
  }
  if (value.includes("\0")) throw new BadSetting(`env.${key}`, "a value cannot contain a NUL byte");
  env[key] = value;
}

function setLabel(label: Record<string, string>, key: string, value: string | null): void {
  if (!/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/.test(key)) {
    throw new BadSetting(`label.${key}`, "a label's name is letters, digits and ._/- between, at most 128 characters");
  }
  if (value === null) {
    delete label[key];
    return;
  }
  if (value.length > 1024) throw new BadSetting(`label.${key}`, "a label's value is at most 1024 characters");
  label[key] = value;
}

/** What arrives from our own parts (job payloads), checked once at the door. */
export const SettingsSchema: z.ZodType<Settings> = z.object({
  memory_bytes: z.int(),
  cpu_millis: z.int(),
  cpu_weight: z.int(),
  timeout_ms: z.int(),
  tmp_bytes: z.int(),
  pids: z.int(),
  concurrency: z.int(),
  network: z.enum(["none", "egress"]),
  access: z.enum(["public", "key"]),
  contract: z.enum(CONTRACTS).nullable(),
  entry: z.string().nullable(),
  env: z.record(z.string(), z.string()),
  label: z.record(z.string(), z.string()),
});
