import { ImageError } from "../error.ts";
import type { OciConfig } from "../oci.ts";
import { type Env, wordsOf } from "./words.ts";

type Config = Partial<OciConfig>;
interface State {
  readonly config: Config;
  /** One of the changes has set the command: a new entrypoint leaves it. */
  readonly cmdIsSet: boolean;
}
type Apply = (state: State, rest: string, env: Env) => State;

/**
 * The instructions that `docker commit --change` takes, as they change how an image is run; each sees what those before it changed.
 * A member that is undefined is no more. @throws ImageError `refused`, with the instruction and what is wrong with it
 */
export function applyChanges(config: Config, changes: readonly string[]): Config {
  let state: State = { config, cmdIsSet: false };
  for (const change of changes) {
    const [, name = "", rest = ""] = /^\s*(\S+)(?:\s+(.*?))?\s*$/s.exec(change) ?? [];
    const apply = INSTRUCTIONS[name.toUpperCase()];
    const wrong = (why: string) => new ImageError("refused", `the change ${JSON.stringify(change)}: ${why}`);
    if (!apply) throw wrong(`only ${Object.keys(INSTRUCTIONS).join(", ")} can be changed`);
    if (rest === "") throw wrong(`${name.toUpperCase()} needs a value`);
    try {
      state = apply(state, rest, envOf(state.config));
    } catch (error) {
      throw wrong((error as Error).message);
    }
  }
  return state.config;
}

const INSTRUCTIONS: Readonly<Record<string, Apply>> = {
  CMD: (state, rest) => ({ config: { ...state.config, Cmd: commandOf(rest) }, cmdIsSet: true }),
  ENTRYPOINT: (state, rest) => {
    // The base's command was for the base's entrypoint.
    const Cmd = state.cmdIsSet ? state.config.Cmd : undefined;
    return { ...state, config: { ...state.config, Entrypoint: commandOf(rest), Cmd } };
  },
  ENV: changing((_, rest, env) => {
    const set = new Map(env);
    for (const [name, value] of pairsOf(rest, env)) set.set(name, value);
    return { Env: [...set].map(([name, value]) => `${name}=${value}`) };
  }),
  LABEL: changing((config, rest, env) => ({ Labels: { ...config.Labels, ...Object.fromEntries(pairsOf(rest, env)) } })),
  EXPOSE: changing((config, rest, env) => {
    const ports = wordsOf(rest, env).flatMap(portsOf);
    return { ExposedPorts: { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) } };
  }),
  VOLUME: changing((config, rest, env) => {
    const paths = jsonWords(rest) ?? wordsOf(rest, env);
    if (paths.some((path) => path === "")) throw new Error("a volume needs a path");
    return { Volumes: { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) } };
  }),
  USER: changing((_, rest, env) => ({ User: oneWord(rest, env) })),
  WORKDIR: changing((config, rest, env) => ({
    WorkingDir: joined(config.WorkingDir ?? "/", wordsOf(rest, env).join(" ")),
  })),
  STOPSIGNAL: changing((_, rest, env) => {
    const signal = oneWord(rest, env);
    if (!/^(?:SIG)?[A-Z][A-Z0-9+-]*$|^[1-9][0-9]?$/.test(signal)) throw new Error(`"${signal}" is no signal`);
    return { StopSignal: signal };
  }),
  ONBUILD: changing((config, rest) => {
    const name = rest.split(/\s/, 1)[0]!.toUpperCase();
    if (["ONBUILD", "FROM", "MAINTAINER"].includes(name)) throw new Error(`${name} cannot be left for a later build`);
    return { OnBuild: [...(config.OnBuild ?? []), rest] };
  }),
};

function changing(change: (config: Config, rest: string, env: Env) => Config): Apply {
  return (state, rest, env) => ({ ...state, config: { ...state.config, ...change(state.config, rest, env) } });
}

const envOf = (config: Config): Env =>
  new Map((config.Env ?? []).map((pair) => pair.split(/=(.*)/s, 2) as [string, string]));

/** The words of a JSON list of strings; anything else in brackets is ordinary text, as in a Dockerfile. */
function jsonWords(text: string): string[] | null {
  if (!text.startsWith("[")) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(value)) return null;
  if (!value.every((word) => typeof word === "string")) throw new Error("a JSON list of words must hold strings only");
  return value;
}

const commandOf = (text: string): string[] => jsonWords(text) ?? ["/bin/sh", "-c", text];

/** `NAME=value …`, or the old form `NAME the rest of the line`. */
function pairsOf(text: string, env: Env): [string, string][] {
  const [first = ""] = text.split(/\s/, 1);
  if (!first.includes("=")) {
    const value = text.slice(first.length).trim();
    if (value === "") throw new Error(`${first} needs a value`);
    return [[first, wordsOf(value, env).join(" ")]];
  }
  return wordsOf(text, env).map((word) => {
    const [name, value] = word.split(/=(.*)/s, 2) as [string, string?];
    if (name === "" || value === undefined) throw new Error(`"${word}" is not like NAME=value`);
    return [name, value];
  });
}

function oneWord(text: string, env: Env): string {
  const words = wordsOf(text, env);
  if (words.length !== 1 || words[0] === "") throw new Error(`it takes one word, not ${words.length}`);
  return words[0]!;
}

const MOST_PORTS = 1024;

/** `80`, `80/udp`, `8000-8010/tcp` → each port by itself, as Docker writes them into the config. */
function portsOf(word: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? from);
  if (!match || from < 1 || to > 65_535 || to < from)
    throw new Error(`"${word}" is no port like 80, 53/udp or 8000-8010`);
  if (to - from >= MOST_PORTS) throw new Error(`"${word}" is more than ${MOST_PORTS} ports`);
  const protocol = (match[3] ?? "tcp").toLowerCase();
  return Array.from({ length: to - from + 1 }, (_, at) => `${from + at}/${protocol}`);
}

function joined(base: string, path: string): string {
  const names: string[] = [];
  for (const name of `${path.startsWith("/") ? "" : base}/${path}`.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}
