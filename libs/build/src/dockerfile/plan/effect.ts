import type { Instruction } from "../instructions/instruction.ts";
import { within } from "../source/failure.ts";
import type { StageContext } from "./context.ts";
import { add, copy } from "./copy-effects.ts";
import { arg, env, expose, label } from "./metadata-effects.ts";
import {
  cmd,
  entrypoint,
  healthcheck,
  maintainer,
  onbuild,
  shell,
  stopsignal,
  user,
  volume,
} from "./process-effects.ts";
import { run, workdir } from "./run-effects.ts";
import type { StageState } from "./stage-state.ts";

/** The stage after an instruction. @throws DockerfileError, at the instruction */
export function after(state: StageState, instruction: Instruction, context: StageContext): StageState {
  return within(instruction.range, () => {
    switch (instruction.kind) {
      case "add":
        return add(state, instruction, context);
      case "arg":
        return arg(state, instruction, context);
      case "cmd":
        return cmd(state, instruction, context);
      case "copy":
        return copy(state, instruction, context);
      case "entrypoint":
        return entrypoint(state, instruction, context);
      case "env":
        return env(state, instruction, context);
      case "expose":
        return expose(state, instruction, context);
      case "healthcheck":
        return healthcheck(state, instruction, context);
      case "label":
        return label(state, instruction, context);
      case "maintainer":
        return maintainer(state, instruction);
      case "onbuild":
        return onbuild(state, instruction);
      case "run":
        return run(state, instruction, context);
      case "shell":
        return shell(state, instruction);
      case "stopsignal":
        return stopsignal(state, instruction, context);
      case "user":
        return user(state, instruction, context);
      case "volume":
        return volume(state, instruction, context);
      case "workdir":
        return workdir(state, instruction, context);
    }
  });
}
