import { Lexer, type Variables } from "../expand/lexer.ts";
import type { Ignore } from "../ignore/matcher.ts";
import type { Instruction } from "../instructions/instruction.ts";
import { readStages } from "../instructions/stages.ts";
import { checkFile } from "../lint/file-checks.ts";
import { type Warning, Warnings } from "../lint/warnings.ts";
import { parseNodes } from "../nodes/parse.ts";
import { DockerfileError } from "../source/failure.ts";
import type { Range } from "../source/position.ts";
import { type BaseImage, type DockerConfig, type HistoryLine, SCRATCH } from "./config.ts";
import { after } from "./effect.ts";
import { gather, type WantedImage } from "./gather.ts";
import { makesLayer, StageGraph, type StageNode } from "./graph.ts";
import { isImageReference } from "./image-reference.ts";
import { type Globals, globalVariables, type PlatformName, predefined } from "./scope.ts";
import { type StageState, stateOfImage, stateOfStage } from "./stage-state.ts";
import type { Origin, Step } from "./step.ts";
import { Titles } from "./title.ts";

export interface PlanOptions {
  /** Name or number of the stage to build; empty: the last one. */
  readonly target: string;
  readonly buildArgs: Variables;
  readonly platform: PlatformName;
  readonly ignore: Ignore | null;
  /** Added to the target's own. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of every RUN that does not say another. */
  readonly network: "default" | "none";
  /** Lines that every RUN's /etc/hosts has besides its own. */
  readonly hosts: readonly string[];
}

/** One stage, as what is to be done and what comes out. */
export interface PlannedStage {
  readonly index: number;
  readonly name: string;
  readonly base: StageNode["base"];
  readonly platform: string | null;
  readonly range: Range;
  readonly steps: readonly Step[];
  /** Its own lines; those of its base come before. The lines that are not empty stand for the steps, in their order. */
  readonly history: readonly HistoryLine[];
  /** Of the whole stage, what it has of its base included. */
  readonly config: DockerConfig;
  readonly author: string | undefined;
}

export interface Plan {
  /** What the target needs, itself as the last; each stage only needs those before it. */
  readonly stages: readonly PlannedStage[];
  readonly warnings: readonly Warning[];
  /** Build arguments that no ARG asked for. */
  readonly unused: readonly string[];
}

/** A plan, or the images whose configs must be known before there can be one. */
export type Planned = { readonly plan: Plan } | { readonly wanted: readonly WantedImage[] };

/**
 * Makes of a Dockerfile what is to be done, or says which images it must know first: call it again with those. It does nothing itself, and
 * equal inputs give equal plans. @throws DockerfileError
 */
export function planBuild(source: string, images: ReadonlyMap<string, BaseImage>, options: PlanOptions): Planned {
  return new Planner(source, images, options).plan();
}

class Planner {
  readonly #images: ReadonlyMap<string, BaseImage>;
  readonly #options: PlanOptions;
  readonly #warnings: Warnings;
  readonly #lexer: Lexer;
  readonly #globals: Globals;
  readonly #graph: StageGraph;
  readonly #declared = new Set<string>();

  constructor(source: string, images: ReadonlyMap<string, BaseImage>, options: PlanOptions) {
    this.#images = images;
    this.#options = options;
    if (source === "") throw new DockerfileError("the Dockerfile cannot be empty");
    const file = parseNodes(source);
    const stages = readStages(file);
    this.#warnings = new Warnings(file.directives.find(({ name }) => name === "check")?.value);
    checkFile(file, stages, this.#warnings);
    this.#lexer = new Lexer(stages.escape);
    const target = options.target || stages.stages.at(-1)!.from.stage;
    const base = (given: Variables) => predefined(options.platform, target, given);
    const { globals } = stages;
    this.#globals = globalVariables(globals, base(options.buildArgs), options.buildArgs, this.#lexer);
    for (const name of this.#globals.declared) this.#declared.add(name);
    this.#warnOfBadDefaults(() => globalVariables(globals, base(new Map()), new Map(), this.#lexer), stages.stages);
    this.#graph = new StageGraph(stages, this.#globals, this.#lexer, this.#warnings);
  }

  plan(): Planned {
    const target = this.#graph.target(this.#options.target).index;
    const { wanted, order, instructions } = gather(this.#graph, target, this.#images);
    return wanted.length > 0 ? { wanted } : { plan: this.#carryOut(target, order, instructions) };
  }

  #warnOfBadDefaults(defaults: () => Globals, stages: readonly { readonly from: StageNode["stage"]["from"] }[]): void {
    try {
      const { variables } = defaults();
      for (const { from } of stages) {
        const { text } = this.#lexer.expand(from.base, variables);
        if (!isImageReference(text)) this.#warnings.add("InvalidDefaultArgInFrom", from.range, from.base);
      }
    } catch (error) {
      // What is wrong without build arguments may be right with them.
      if (!(error instanceof DockerfileError)) throw error;
    }
  }

  #carryOut(target: number, order: readonly number[], instructions: ReadonlyMap<number, readonly Instruction[]>): Plan {
    const states = new Map<number, StageState>();
    const stages = order.map((index) => {
      const node = this.#graph.nodes[index]!;
      const state = this.#stage(node, instructions.get(index)!, states);
      states.set(index, state);
      return planned(node, state);
    });
    const labels = this.#options.labels;
    const last = stages.findIndex(({ index }) => index === target);
    if (Object.keys(labels).length > 0) {
      const { config } = stages[last]!;
      stages[last] = { ...stages[last]!, config: { ...config, Labels: { ...config.Labels, ...labels } } };
    }
    this.#warnings.refuse();
    return { stages, warnings: this.#warnings.list, unused: this.#unused() };
  }

  #stage(node: StageNode, instructions: readonly Instruction[], states: ReadonlyMap<number, StageState>): StageState {
    const { base, stage } = node;
    let state: StageState;
    if (base.kind === "stage") state = stateOfStage(states.get(base.stage)!);
    else state = stateOfImage(base.kind === "scratch" ? SCRATCH : this.#images.get(base.reference)!);
    const triggers = instructions.length - stage.instructions.length;
    const pulls = base.kind === "image" ? 1 : 0;
    const only = this.#graph.nodes.length === 1;
    const titles = new Titles(only ? "" : node.name, instructions.filter(makesLayer).length + pulls, pulls);
    for (const [at, instruction] of instructions.entries()) {
      if (instruction.kind === "arg") for (const { name } of instruction.args) this.#declared.add(name);
      const onBuild = at < triggers;
      state = after(state, instruction, {
        lexer: this.#lexer,
        globals: this.#globals.variables,
        buildArgs: this.#options.buildArgs,
        warnings: this.#warnings,
        ignore: this.#options.ignore,
        network: this.#options.network,
        hosts: this.#options.hosts,
        origin: (from) => this.#origin(from, instruction, node, states),
        title: (code) => titles.next(code, onBuild),
        onBuild,
      });
    }
    return state;
  }

  #origin(from: string, { kind }: Instruction, node: StageNode, states: ReadonlyMap<number, StageState>): Origin {
    const origin = kind === "copy" ? this.#graph.copySource(from) : this.#graph.mountSource(from);
    if (origin.kind !== "stage" || states.has(origin.stage)) return origin;
    throw new DockerfileError(
      kind === "copy"
        ? `cannot copy from stage "${from}", it needs to be defined before current stage "${node.name}"`
        : `cannot mount from stage "${from}", stage needs to be defined before current command`,
    );
  }

  #unused(): string[] {
    const known = (name: string) => this.#declared.has(name) || this.#globals.variables.has(name) || isSetting(name);
    return [...this.#options.buildArgs.keys()].filter((name) => !known(name)).sort();
  }
}

const isSetting = (name: string): boolean =>
  name.startsWith("BUILDKIT_") || name === "SOURCE_DATE_EPOCH" || /^(?:https?|ftp|no|all)_proxy$/i.test(name);

function planned(node: StageNode, { steps, history, config, author }: StageState): PlannedStage {
  const { index, name, base, platform, stage } = node;
  return { index, name, base, platform, range: stage.from.range, steps, history, config, author };
}
