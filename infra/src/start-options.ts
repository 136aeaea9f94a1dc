import { readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { parseArgs } from "node:util";
import { parseAllowedTargets, parseBytes, parseRegistries } from "@mayfly/contract";

/** What `npm start` was told, checked whole before anything is done. */
export interface StartOptions {
  readonly once: boolean;
  readonly verbose: boolean;
  readonly home: string;
  /** host:port */
  readonly listen: string;
  readonly key: string | undefined;
  readonly redisUrl: string | undefined;
  readonly concurrency: string | undefined;
  readonly nursery: "on" | "off";
  /** In bytes; undefined: the worker's own default. */
  readonly readyMemory: number | undefined;
  readonly logLevel: string;
  /** What programs of builds find in their environment, and no image keeps. */
  readonly buildVariables: Readonly<Record<string, string>>;
  /** A file of certificates that they trust. */
  readonly buildCa: string | undefined;
  /** Places in private networks that boxes may go to. */
  readonly egressAllow: string | undefined;
  /** Where images are looked for whose names have no registry's host. */
  readonly registries: string | undefined;
  /** A file of certificates by which registries are known. */
  readonly registryCa: string | undefined;
}

/** An option or a variable that cannot be used. */
export class BadOption extends Error {
  override name = "BadOption";
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/** @throws BadOption naming the first option or variable that cannot be used, and how it is written */
export function startOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>): StartOptions {
  const flags = parseFlags(args);
  // A variable that is set to nothing is not set: a shell's `MAYFLY_KEY= npm start` means that.
  const given = (name: string) => env[name] || undefined;
  if (given("MAYFLY_DATABASE_URL"))
    throw new BadOption("MAYFLY_DATABASE_URL: PostgreSQL is not offered in this version; state lies in MAYFLY_HOME");
  return {
    ...flags,
    home: readHome(given("MAYFLY_HOME") ?? "/var/lib/mayfly"),
    listen: readListen(given("MAYFLY_LISTEN") ?? "127.0.0.1:8080"),
    key: readKey(given("MAYFLY_KEY")),
    redisUrl: readRedisUrl(given("MAYFLY_REDIS_URL")),
    concurrency: readConcurrency(given("MAYFLY_CONCURRENCY")),
    nursery: readNursery(given("MAYFLY_NURSERY") ?? "on"),
    readyMemory: readReadyMemory(given("MAYFLY_READY_MEMORY")),
    logLevel: readLogLevel(given("MAYFLY_LOG_LEVEL") ?? "info"),
    buildVariables: readBuildVariables(given("MAYFLY_BUILD_ENV") ?? "", env),
    buildCa: readCertificates("MAYFLY_BUILD_CA", given("MAYFLY_BUILD_CA")),
    egressAllow: readEgressAllow(given("MAYFLY_EGRESS_ALLOW")),
    registries: readRegistries(given("MAYFLY_REGISTRIES")),
    registryCa: readCertificates("MAYFLY_REGISTRY_CA", given("MAYFLY_REGISTRY_CA")),
  };
}

function parseFlags(args: readonly string[]): Pick<StartOptions, "once" | "verbose"> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { once: { type: "boolean" }, verbose: { type: "boolean" } },
    });
    return { once: values.once === true, verbose: values.verbose === true };
  } catch (error) {
    throw new BadOption(`${(error as Error).message.split(". ")[0]}; npm start -- --help lists what there is`);
  }
}

const bad = (name: string, value: string, like: string) =>
  new BadOption(`${name}=${value} cannot be used; write it like ${like}`);

function readHome(value: string): string {
  if (!isAbsolute(value)) throw bad("MAYFLY_HOME", value, "/var/lib/mayfly: it starts with /");
  return value;
}

function readListen(value: string): string {
  const port = /^(?:[^:[\]]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(value)?.[1];
  if (port === undefined || Number(port) > 65_535) throw bad("MAYFLY_LISTEN", value, "127.0.0.1:8080");
  return value;
}

function readKey(value: string | undefined): string | undefined {
  if (value !== undefined && !/^[!-~]{8,}$/.test(value))
    throw new BadOption("MAYFLY_KEY cannot be used; a key is 8 or more printable characters without spaces");
  return value;
}

function readRedisUrl(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const url = URL.parse(value);
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^(\/\d*)?$/.test(url.pathname))
    throw new BadOption("MAYFLY_REDIS_URL cannot be used; write it like redis://user:password@host:6379/0");
  return value;
}

function readConcurrency(value: string | undefined): string | undefined {
  if (value !== undefined && (!/^\d{1,4}$/.test(value) || Number(value) < 1 || Number(value) > 1000))
    throw bad("MAYFLY_CONCURRENCY", value, "8: a whole number from 1 to 1000");
  return value;
}

function readNursery(value: string): "on" | "off" {
  if (value !== "on" && value !== "off") throw bad("MAYFLY_NURSERY", value, "on or off");
  return value;
}

function readReadyMemory(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const bytes = parseBytes(value);
  if (bytes === null) throw bad("MAYFLY_READY_MEMORY", value, "512MiB, or 0 for no ready boxes");
  return bytes;
}

/** `NAME` as it is here, or `NAME=value`; a value with a comma goes by its name. */
function readBuildVariables(text: string, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const part of text.split(",").filter((part) => part !== "")) {
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=(.*))?$/s.exec(part.trim()) ?? [];
    if (name === undefined) throw bad("MAYFLY_BUILD_ENV", text, "HTTPS_PROXY,NPM_CONFIG_REGISTRY=https://npm.example/");
    const found = value ?? env[name];
    if (found === undefined) throw new BadOption(`MAYFLY_BUILD_ENV names ${name}, which is not set here`);
    variables[name] = found;
  }
  return variables;
}

function readCertificates(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  if (!isAbsolute(path)) throw bad(name, path, "/etc/ssl/certs/ca-certificates.crt: it starts with /");
  try {
    if (readFileSync(path, "latin1").includes("-----BEGIN CERTIFICATE-----")) return path;
  } catch (error) {
    throw new BadOption(`${name}: ${(error as Error).message}`);
  }
  throw new BadOption(`${name}: ${path} holds no certificate in PEM form`);
}

function readEgressAllow(text: string | undefined): string | undefined {
  if (text !== undefined && parseAllowedTargets(text) === null)
    throw bad("MAYFLY_EGRESS_ALLOW", text, "10.1.2.3:443,192.168.7.0/24:80,[fd00::1]:443: addresses, each with a port");
  return text;
}

function readRegistries(text: string | undefined): string | undefined {
  if (text !== undefined && parseRegistries(text) === null)
    throw bad("MAYFLY_REGISTRIES", text, "registry.example:5000/team,docker.io: hosts, each with a path or none");
  return text;
}

function readLogLevel(value: string): string {
  if (!LOG_LEVELS.includes(value)) throw bad("MAYFLY_LOG_LEVEL", value, `one of ${LOG_LEVELS.join(", ")}`);
  return value;
}
