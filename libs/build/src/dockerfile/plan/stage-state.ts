import type { Variables } from "../expand/lexer.ts";
import type { Range } from "../source/position.ts";
import { type BaseImage, type DockerConfig, type HistoryLine, variablesOf, withPath } from "./config.ts";
import type { Step } from "./step.ts";

/** A stage as it is after some of its instructions. Instructions change it by giving another one. */
export interface StageState {
  readonly config: DockerConfig;
  readonly author: string | undefined;
  /** What `$name` stands for: ENV and ARG, whichever came last. */
  readonly variables: Variables;
  /** ARGs that this stage declared, in their order, those without a value too. */
  readonly args: ReadonlyMap<string, string | null>;
  /** Names of ARGs that the stages below declared. */
  readonly argsBelow: ReadonlySet<string>;
  readonly steps: readonly Step[];
  readonly history: readonly HistoryLine[];
  /** A WORKDIR was set by this Dockerfile. */
  readonly workdirSet: boolean;
  /** The last CMD, ENTRYPOINT and HEALTHCHECK of this stage. */
  readonly last: Readonly<Partial<Record<"cmd" | "entrypoint" | "healthcheck", Range>>>;
}

/** A stage that starts from an image. Its triggers have been taken out: they are instructions of this stage now. */
export function stateOfImage({ config: { OnBuild: _triggers, ...rest }, author }: BaseImage): StageState {
  const config = withPath(rest);
  return {
    config,
    author,
    variables: variablesOf(config),
    args: new Map(),
    argsBelow: new Set(),
    steps: [],
    history: [],
    workdirSet: false,
    last: {},
  };
}

/** A stage that starts from another one: its ARGs stay set unless an ENV has their name, yet are told of no more. */
export function stateOfStage({ config: { OnBuild: _triggers, ...rest }, ...base }: StageState): StageState {
  const argsBelow = new Set([...base.argsBelow, ...base.args.keys()]);
  const config = withPath(rest);
  const variables = new Map([...base.variables, ...variablesOf(config)]);
  return { ...base, config, variables, args: new Map(), argsBelow, steps: [], history: [], last: {} };
}

/** The state with a line more in its history. */
export function remembered(state: StageState, created_by: string, layer = false): StageState {
  const line: HistoryLine = {
    created_by,
    comment: "buildkit.dockerfile.v0",
    ...(!layer && { empty_layer: true as const }),
  };
  return { ...state, history: [...state.history, line] };
}
