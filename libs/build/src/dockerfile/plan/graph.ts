import type { Lexer } from "../expand/lexer.ts";
import type { Add, Copy, Instruction, Run } from "../instructions/instruction.ts";
import type { Stage, Stages } from "../instructions/stages.ts";
import type { Warnings } from "../lint/warnings.ts";
import { DockerfileError, within } from "../source/failure.ts";
import { nearest } from "../source/suggest.ts";
import { isImageReference } from "./image-reference.ts";
import type { Globals } from "./scope.ts";
import { readStagePlatform } from "./stage-platform.ts";
import type { Origin } from "./step.ts";

/** A stage, and what it needs before it can begin. */
export interface StageNode {
  readonly index: number;
  readonly stage: Stage;
  /** Name for people: what it is called, or `stage-2`. */
  readonly name: string;
  readonly base: Exclude<Origin, { kind: "context" }>;
  /** `os/arch[/variant]` when the FROM asks for one. */
  readonly platform: string | null;
}

/** Names are looked up in any case; a later stage of the same name takes an earlier one's place. */
export class StageGraph {
  readonly nodes: readonly StageNode[];
  readonly #byName: ReadonlyMap<string, StageNode>;

  /** @throws DockerfileError for a FROM that says nothing, or nothing sensible */
  constructor({ stages }: Stages, globals: Globals, lexer: Lexer, warnings: Warnings) {
    const byName = new Map<string, StageNode>();
    this.nodes = stages.map((stage, index) => {
      const { from } = stage;
      const base = within(from.range, () => baseOf(stage, globals, lexer, warnings));
      const known = byName.get(base);
      const node: StageNode = {
        index,
        stage,
        name: from.stage || `stage-${index}`,
        base: known ? { kind: "stage", stage: known.index } : within(from.range, () => imageNamed(base, byName.keys())),
        platform: within(from.range, () => readStagePlatform(stage, globals, lexer, warnings)),
      };
      if (from.stage !== "") byName.set(from.stage, node);
      return node;
    });
    this.#byName = byName;
  }

  /** The stage to build: by name or number, the last one by default. @throws DockerfileError */
  target(name: string): StageNode {
    if (name === "") return this.nodes.at(-1)!;
    const node = this.#byName.get(name.toLowerCase()) ?? (/^\d+$/.test(name) ? this.nodes[Number(name)] : undefined);
    if (node) return node;
    const match = nearest(name, this.#byName.keys());
    const hint = match === undefined ? "" : ` (did you mean ${match}?)`;
    throw new DockerfileError(`target stage "${name}" could not be found${hint}`, this.nodes.at(-1)!.stage.from.range);
  }

  /** What `COPY --from=` points at. @throws DockerfileError for a number without a stage */
  copySource(from: string): Origin {
    if (!/^[+-]?\d+$/.test(from)) return this.mountSource(from);
    const node = this.nodes[Number(from)];
    if (!node) throw new DockerfileError(`invalid stage index ${Number(from)}`);
    return { kind: "stage", stage: node.index };
  }

  /** What `RUN --mount=from=` points at: numbers are names of images here. @throws DockerfileError for what cannot be one */
  mountSource(from: string): Origin {
    const node = this.#byName.get(from.toLowerCase());
    if (node) return { kind: "stage", stage: node.index };
    return imageNamed(from, this.#byName.keys());
  }

  /** Everything that an instruction needs besides its own stage. */
  sourcesOf(instruction: Instruction): readonly Origin[] {
    return within(instruction.range, () => {
      if (instruction.kind === "copy" && instruction.from !== "") return [this.copySource(checkFrom(instruction))];
      if (instruction.kind === "run") return instruction.mount_sources.map((from) => this.mountSource(from));
      return [];
    });
  }
}

function checkFrom({ from }: Copy): string {
  if (!/\$./.test(from)) return from;
  throw new DockerfileError(
    "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
  );
}

/** What is no stage. @throws DockerfileError for what can be no image's name, though nobody needs it */
function imageNamed(reference: string, stages: Iterable<string>): Exclude<Origin, { kind: "context" }> {
  if (reference === "scratch") return { kind: "scratch" };
  if (isImageReference(reference)) return { kind: "image", reference };
  const match = nearest(reference, stages);
  const hint = match === undefined ? "" : ` (did you mean ${match}?)`;
  throw new DockerfileError(`failed to parse stage name "${reference}": invalid reference format${hint}`);
}

function baseOf({ from }: Stage, { variables, declared }: Globals, lexer: Lexer, warnings: Warnings): string {
  const { text, missing } = lexer.expand(from.base, variables);
  for (const name of missing) {
    if (declared.has(name)) continue;
    const match = nearest(name, [...declared, ...variables.keys()]) ?? "";
    warnings.add("UndefinedArgInFrom", from.range, name, match);
  }
  if (text === "") throw new DockerfileError(`base name (${from.base}) should not be blank`);
  return text;
}

/** Steps that make layers: they are counted in titles. */
export const makesLayer = (
  instruction: Instruction,
): instruction is Add | Copy | Run | (Instruction & { kind: "workdir" }) =>
  ["add", "copy", "run", "workdir"].includes(instruction.kind);
