import { z } from "zod";
import { FIXED_LIMITS, LIMIT_BOUNDS, type Limits } from "./limits.ts";
import { parseBytes, parseCpu, parseDuration } from "./unit.ts";

export const CONTRACTS = ["fetch", "lambda", "http", "cgi"] as const;
export type Contract = (typeof CONTRACTS)[number];

/**
 * How a version takes its request, pinned by its build: a contract, or `runtime-api`, which is how an image has the contract `lambda`:
 * its program asks for its request (Lambda Runtime API), while a module of the contract `lambda` is called by our runtime.
 */
export const PINNED_CONTRACTS = [...CONTRACTS, "runtime-api"] as const;
export type PinnedContract = (typeof PINNED_CONTRACTS)[number];
/** As its users name it. */
export const contractOf = (pinned: PinnedContract): Contract => (pinned === "runtime-api" ? "lambda" : pinned);
/** Whether our runtime loads a module, or the image's own program runs. */
export const isModule = (contract: PinnedContract): contract is "fetch" | "lambda" =>
  contract === "fetch" || contract === "lambda";

/** Complete settings of one version. Nothing is optional: defaults are applied at the door. */
export interface Settings extends Limits {
  readonly network: "none" | "egress";
  readonly access: "public" | "key";
  /** `null`: to be detected by the build. */
  readonly contract: Contract | null;
  /** Path of the entry module inside a project, or null to look for the usual ones. */
  readonly entry: string | null;
  /** Folder of the source that is built, or null: its root. */
  readonly dir: string | null;
  /** Whether scripts of packages run while they are installed. */
  readonly install_scripts: "on" | "off";
  /** Path of the Dockerfile in its context, or null: `Dockerfile` when there is one. */
  readonly dockerfile: string | null;
  /** The stage of a Dockerfile that is wanted, or null for the last. */
  readonly target: string | null;
  /** Values for a Dockerfile's ARGs. */
  readonly build_arg: Readonly<Record<string, string>>;
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
  dir: null,
  install_scripts: "off",
  dockerfile: null,
  target: null,
  build_arg: {},
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
const CHOICES: Record<string, { field: keyof Settings; of: readonly string[] }> = {
  network: { field: "network", of: ["none", "egress"] },
  access: { field: "access", of: ["public", "key"] },
  contract: { field: "contract", of: CONTRACTS },
  "install-scripts": { field: "install_scripts", of: ["on", "off"] },
};
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const RESERVED_ENV = /^MAYFLY_/;

/** Settings of text, each with what may be written and an example of it. */
const TEXTS = {
  entry: { read: pathInside, like: "a path inside the project, as src/index.ts" },
  dir: { read: pathInside, like: "a folder of the source, as packages/api" },
  dockerfile: { read: pathInside, like: "a path inside the context, as docker/Dockerfile" },
  target: { read: (text: string) => /^[A-Za-z0-9._-]+$/.test(text), like: "the name or the number of a stage" },
} as const;

/** What decides what is built: another value of it asks for another build. */
export const BUILD_SETTINGS = [
  "contract",
  "entry",
  "dir",
  "install_scripts",
  "dockerfile",
  "target",
  "build_arg",
] as const;

/** Query parameters that belong to the deploy request itself and are no settings. */
export const REQUEST_PARAMETERS = ["wait", "t", "no-cache", "pull", "platform", "run-network", "add-host"] as const;

/**
 * Reads settings as they stand in query parameters or in the `config` part: `memory=128MiB`, `env.KEY=VALUE`.
 * What is not named carries over from `base` (the version before, or DEFAULT_SETTINGS). null puts a setting back to its default and takes
 * a variable or a label away.
 * @throws BadSetting naming the first setting that cannot be used; `base` is never changed.
 */
export function parseSettings(pairs: Iterable<readonly [string, string | null]>, base: Settings): Settings {
  const next: Record<string, unknown> = { ...DEFAULT_SETTINGS, ...base };
  const env = { ...base.env };
  const build_arg = { ...base.build_arg };
  const label = { ...base.label };
  for (const [name, value] of pairs) {
    const quantity = Object.hasOwn(QUANTITIES, name) ? QUANTITIES[name] : undefined;
    const choice = Object.hasOwn(CHOICES, name) ? CHOICES[name] : undefined;
    if (quantity)
      next[quantity.field] = value === null ? DEFAULT_SETTINGS[quantity.field] : readQuantity(name, value, quantity);
    else if (choice)
      next[choice.field] = value === null ? DEFAULT_SETTINGS[choice.field] : readChoice(name, value, choice.of);
    else if (name === "entry" || name === "dir" || name === "dockerfile" || name === "target")
      next[name] = value === null ? DEFAULT_SETTINGS[name] : readText(name, value);
    else if (name.startsWith("build-arg.")) setVariable(build_arg, "build-arg", name.slice(10), value);
    else if (name.startsWith("env.")) setEnv(env, name.slice(4), value);
    else if (name.startsWith("label.")) setLabel(label, name.slice(6), value);
    else if (!(REQUEST_PARAMETERS as readonly string[]).includes(name)) {
      throw new BadSetting(
        name,
        `no such setting; there are ${[...Object.keys(QUANTITIES), ...Object.keys(CHOICES), ...Object.keys(TEXTS), "build-arg.KEY", "env.KEY", "label.KEY"].join(", ")}`,
      );
    }
  }
  requireFits("env", env);
  requireFits("build-arg", build_arg);
  return { ...(next as unknown as Settings), build_arg, env, label };
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

function readChoice(name: string, value: string, of: readonly string[]): string {
  if (of.includes(value)) return value;
  throw new BadSetting(name, `${JSON.stringify(value)} is none of ${of.join(", ")}`);
}

function readText(name: keyof typeof TEXTS, value: string): string {
  const { read, like } = TEXTS[name];
  if (read(value)) return value;
  throw new BadSetting(name, `${JSON.stringify(value)} is not ${like}`);
}

function pathInside(text: string): boolean {
  return text !== "" && !text.startsWith("/") && !text.split("/").includes("..") && !/[\0\\]/.test(text);
}

function setEnv(env: Record<string, string>, key: string, value: string | null): void {
  if (RESERVED_ENV.test(key))
    throw new BadSetting(`env.${key}`, "names that start with MAYFLY_ are set by the platform");
  setVariable(env, "env", key, value);
}

function setVariable(of: Record<string, string>, setting: string, key: string, value: string | null): void {
  const name = `${setting}.${key}`;
  if (!ENV_NAME.test(key)) throw new BadSetting(name, "a name is letters, digits and '_', not starting with a digit");
  if (key === "__proto__") throw new BadSetting(name, "this name would be lost on its way");
  if (value === null) {
    delete of[key];
    return;
  }
  if (value.includes("\0")) throw new BadSetting(name, "a value cannot contain a NUL byte");
  of[key] = value;
}

function requireFits(setting: string, of: Record<string, string>): void {
  const size = Object.entries(of).reduce((sum, [k, v]) => sum + Buffer.byteLength(k) + Buffer.byteLength(v) + 2, 0);
  if (size <= FIXED_LIMITS.env_bytes) return;
  const what = setting === "env" ? "the environment takes" : "the build arguments take";
  throw new BadSetting(setting, `${what} ${size} bytes, the limit is ${FIXED_LIMITS.env_bytes}`);
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
  // A version of an older Mayfly has none of these.
  dir: z.string().nullable().default(null),
  install_scripts: z.enum(["on", "off"]).default("off"),
  dockerfile: z.string().nullable().default(null),
  target: z.string().nullable().default(null),
  build_arg: z.record(z.string(), z.string()).default({}),
  env: z.record(z.string(), z.string()),
  label: z.record(z.string(), z.string()),
});
