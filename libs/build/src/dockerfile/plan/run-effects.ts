import { Lexer } from "../expand/lexer.ts";
import type { Run, Workdir } from "../instructions/instruction.ts";
import { type Mount, readMount } from "../instructions/mount.ts";
import { heredocWordOrNull, withoutTabs } from "../nodes/heredoc.ts";
import { DockerfileError } from "../source/failure.ts";
import { quote, trimSpace } from "../source/go-text.ts";
import { expander, type StageContext, shownCode } from "./context.ts";
import { cleanPath, workdirFrom } from "./paths.ts";
import { argv } from "./process-effects.ts";
import { proxyVariables } from "./scope.ts";
import { remembered, type StageState } from "./stage-state.ts";
import type { PlannedMount, RunStep, WorkdirStep } from "./step.ts";

export function run(state: StageState, instruction: Run, context: StageContext): StageState {
  const { words, script, summary } = programOf(instruction);
  const args = argv({ words, shell: instruction.shell }, state.config);
  const command = withArgs(args, state);
  const step: RunStep = {
    kind: "run",
    title: context.title(titleOf(instruction, summary, state)),
    range: instruction.range,
    on_build: context.onBuild,
    args,
    env: [...state.variables].map(([name, value]) => `${name}=${value}`),
    user: state.config.User ?? "",
    cwd: cleanPath(state.config.WorkingDir || "/"),
    mounts: instruction.mounts.map((text) => plannedMount(text, instruction, state, context)),
    script,
    // BuildKit's force-network-mode: `--network=default` is no other than none at all.
    network: instruction.network === "default" ? context.network : (instruction.network as RunStep["network"]),
    security: instruction.security as RunStep["security"],
    hosts: context.hosts,
    command,
    proxies: proxyVariables(context.buildArgs),
  };
  return remembered({ ...state, steps: [...state.steps, step] }, `RUN ${command} # buildkit`, true);
}

interface Program {
  readonly words: readonly string[];
  readonly script: RunStep["script"];
  /** First line of a heredoc that is the whole command, for the title. */
  readonly summary: string;
}

/** The folder that scripts of heredocs are mounted at. */
const SCRIPTS = "/dev/pipes/";

/**
 * `RUN <<EOF` alone: the body is the command, or a program of its own when it begins with `#!`. With anything else in the line the shell
 * gets all of it, bodies included.
 */
function programOf({ words, shell, heredocs }: Run): Program {
  const [first] = heredocs;
  if (!first || !shell) return { words, script: null, summary: "" };
  const line = words[0] ?? "";
  if (!heredocWordOrNull(line)) {
    const whole = line + heredocs.map(({ name, content }) => `\n${content}${name}`).join("");
    return { words: [whole], script: null, summary: "" };
  }
  const content = first.chomp ? withoutTabs(first.content) : first.content;
  const [summary, ...more] = trimSpace(first.content).replaceAll("\r\n", "\n").split("\n");
  const told = ` (${summary}${more.length > 0 ? "..." : ""})`;
  if (!first.content.startsWith("#!")) return { words: [content], script: null, summary: told };
  const path = cleanPath(SCRIPTS + first.name);
  return { words: [path], script: { path, content }, summary: told };
}

/** Every ARG that was declared, as it is seen now. */
function withArgs(args: readonly string[], { args: declared, variables }: StageState): string {
  const seen = [...declared].map(([name, value]) => `${name}=${variables.get(name) ?? value ?? ""}`);
  return [...(seen.length > 0 ? [`|${seen.length}`, ...seen] : []), ...args].join(" ");
}

const TITLES = new Lexer("\\", { rawQuotes: true, keepUnset: true });

/** Values of secrets' variables are not shown: their names stay. */
function titleOf({ code, mounts }: Run, summary: string, { variables }: StageState): string {
  const secret = mounts.flatMap((text) => /(?:^|,)env=([^,]*)/.exec(text)?.[1] ?? []);
  const shown = new Map([...variables].filter(([name]) => !secret.includes(name)));
  return shownCode(code + summary, TITLES, shown);
}

function plannedMount(text: string, instruction: Run, state: StageState, context: StageContext): PlannedMount {
  const mount = readMount(text, expander(context, state, instruction));
  const cwd = state.config.WorkingDir || "/";
  const placed = { ...mount, ...placeOf(mount, cwd) };
  if (placed.target === "/" && placed.env === null) {
    throw new DockerfileError(`invalid mount target ${quote(mount.target)}`);
  }
  const fromContext = mount.type === "bind" && mount.from === "";
  const origin = fromContext ? ({ kind: "context" } as const) : context.origin(mount.from || "scratch");
  return { ...placed, origin };
}

/** Where BuildKit has an agent's socket that says nothing of its place. */
const SSH_AGENT = "/run/buildkit/ssh_agent.0";

/** Where a mount goes, and what it is called. */
function placeOf({ type, id, source, target, env, mode }: Mount, cwd: string): Partial<Mount> {
  if (type === "cache") return { target: absolute(cwd, target), id: id || cleanPath(target) };
  if (type === "ssh") return { target: absolute(cwd, target || SSH_AGENT) };
  if (type !== "secret") return { target: absolute(cwd, target) };
  const secret = source || id || target.split("/").at(-1)!;
  const file = target === "" && env === null ? `/run/secrets/${secret.split("/").at(-1)}` : target;
  return { id: secret, target: file === "" ? "" : absolute(cwd, file), mode: mode ?? 0o400 };
}

const absolute = (cwd: string, path: string): string => cleanPath(workdirFrom(cwd, path));

export function workdir(state: StageState, instruction: Workdir, context: StageContext): StageState {
  const path = expander(context, state, instruction)(instruction.path);
  if (!state.workdirSet && !path.startsWith("/")) context.warnings.add("WorkdirRelativePath", instruction.range, path);
  const next = workdirFrom(state.config.WorkingDir ?? "", path);
  const changed = { ...state, workdirSet: true, config: { ...state.config, WorkingDir: next } };
  if (next === "/") return remembered(changed, `WORKDIR ${next}`);
  const step: WorkdirStep = {
    kind: "workdir",
    title: context.title(shownCode(instruction.code, context.lexer, state.variables)),
    range: instruction.range,
    on_build: context.onBuild,
    path: next,
    user: state.config.User ?? "",
  };
  return remembered({ ...changed, steps: [...state.steps, step] }, `WORKDIR ${next}`, true);
}
