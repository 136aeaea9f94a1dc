import type {
  Cmd,
  CommandLine,
  Entrypoint,
  HealthcheckInstruction,
  Maintainer,
  OnBuild,
  Shell,
  StopSignal,
  User,
  Volume,
} from "../instructions/instruction.ts";
import { formatDuration } from "../source/duration.ts";
import { DockerfileError } from "../source/failure.ts";
import { plainList, quoteCode, quoteList } from "../source/go-text.ts";
import type { DockerConfig, DockerHealthcheck } from "./config.ts";
import { expander, type StageContext } from "./context.ts";
import { checkSignal } from "./signal.ts";
import { remembered, type StageState } from "./stage-state.ts";

const DEFAULT_SHELL = ["/bin/sh", "-c"];

/** argv of a command: a shell's has the whole text as its last word. */
export function argv({ words, shell }: CommandLine, { Shell }: DockerConfig): string[] {
  if (!shell) return [...words];
  return [...(Shell && Shell.length > 0 ? Shell : DEFAULT_SHELL), words.join(" ")];
}

export function cmd(state: StageState, instruction: Cmd, context: StageContext): StageState {
  const args = argvWarned(instruction, state, context);
  const config = { ...state.config, Cmd: args, ArgsEscaped: true };
  return remembered({ ...last("cmd", state, instruction, context), config }, `CMD ${quoteList(args)}`);
}

/** A CMD of an image below goes away, one of this stage stays. */
export function entrypoint(state: StageState, instruction: Entrypoint, context: StageContext): StageState {
  const args = argvWarned(instruction, state, context);
  const config = {
    ...state.config,
    Entrypoint: args.length === 0 ? null : args,
    ...(state.last.cmd === undefined && { Cmd: null }),
  };
  return remembered({ ...last("entrypoint", state, instruction, context), config }, `ENTRYPOINT ${quoteList(args)}`);
}

function argvWarned(instruction: Cmd | Entrypoint, { config }: StageState, { warnings }: StageContext): string[] {
  if (instruction.shell && !config.Shell?.length) {
    warnings.add("JSONArgsRecommended", instruction.range, instruction.word);
  }
  return argv(instruction, config);
}

/** Remembers the instruction; the one before it was written in vain. */
function last(
  kind: "cmd" | "entrypoint" | "healthcheck",
  state: StageState,
  { range, word }: Cmd | Entrypoint | HealthcheckInstruction,
  { warnings }: StageContext,
): StageState {
  const earlier = state.last[kind];
  if (earlier) warnings.add("MultipleInstructionsDisallowed", earlier, word);
  return { ...state, last: { ...state.last, [kind]: range } };
}

export function healthcheck(state: StageState, instruction: HealthcheckInstruction, context: StageContext): StageState {
  const { test, interval, timeout, start_period, start_interval, retries } = instruction.healthcheck;
  const times = [interval, timeout, start_period, ...(start_interval === 0 ? [] : [start_interval])];
  const Healthcheck: DockerHealthcheck = {
    Test: test,
    ...(interval !== 0 && { Interval: interval }),
    ...(timeout !== 0 && { Timeout: timeout }),
    ...(start_period !== 0 && { StartPeriod: start_period }),
    ...(start_interval !== 0 && { StartInterval: start_interval }),
    ...(retries !== 0 && { Retries: retries }),
  };
  const shown = [quoteList(test), ...times.map((time) => `"${formatDuration(time)}"`), quoteCode(retries)];
  return remembered(
    { ...last("healthcheck", state, instruction, context), config: { ...state.config, Healthcheck } },
    `HEALTHCHECK &{${shown.join(" ")}}`,
  );
}

export function shell(state: StageState, { shell: words }: Shell): StageState {
  return remembered({ ...state, config: { ...state.config, Shell: words } }, `SHELL ${plainList(words)}`);
}

export function user(state: StageState, instruction: User, context: StageContext): StageState {
  const name = expander(context, state, instruction)(instruction.user);
  return remembered({ ...state, config: { ...state.config, User: name } }, `USER ${name}`);
}

export function volume(state: StageState, instruction: Volume, context: StageContext): StageState {
  const volumes = instruction.volumes.map(expander(context, state, instruction));
  if (volumes.includes("")) throw new DockerfileError("VOLUME specified can not be an empty string");
  const Volumes = { ...state.config.Volumes, ...Object.fromEntries(volumes.map((path) => [path, {}])) };
  return remembered({ ...state, config: { ...state.config, Volumes } }, `VOLUME ${plainList(volumes)}`);
}

export function stopsignal(state: StageState, instruction: StopSignal, context: StageContext): StageState {
  const signal = expander(context, state, instruction)(instruction.signal);
  checkSignal(signal);
  return remembered({ ...state, config: { ...state.config, StopSignal: signal } }, `STOPSIGNAL ${signal}`);
}

export function maintainer(state: StageState, { maintainer: author }: Maintainer): StageState {
  return remembered({ ...state, author }, `MAINTAINER ${author}`);
}

/** Leaves no line in the history. */
export function onbuild(state: StageState, { trigger }: OnBuild): StageState {
  return { ...state, config: { ...state.config, OnBuild: [...(state.config.OnBuild ?? []), trigger] } };
}
