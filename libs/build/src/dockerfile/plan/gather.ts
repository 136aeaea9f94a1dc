import type { Instruction } from "../instructions/instruction.ts";
import type { Range } from "../source/position.ts";
import type { BaseImage } from "./config.ts";
import type { StageGraph, StageNode } from "./graph.ts";
import { reachable, refuseCircles } from "./reach.ts";
import type { Origin } from "./step.ts";
import { triggersOf } from "./triggers.ts";

/** An image by the name that the Dockerfile has for it. */
export interface WantedImage {
  readonly reference: string;
  /** `os/arch[/variant]` when the FROM asks for one. */
  readonly platform: string | null;
  readonly range: Range;
}

export interface Gathered {
  /** Images that are needed and not known yet. Until there are none, the rest is not complete. */
  readonly wanted: readonly WantedImage[];
  /** The stages that the target needs, itself included, in the order of the file. */
  readonly order: readonly number[];
  /** Of each stage, triggers of its base first. */
  readonly instructions: ReadonlyMap<number, readonly Instruction[]>;
}

/** Finds all that a target needs; triggers of bases may need more. @throws DockerfileError */
export function gather(graph: StageGraph, target: number, images: ReadonlyMap<string, BaseImage>): Gathered {
  const gathering = new Gathering(graph, images);
  gathering.refuseCircles();
  gathering.addTriggers(target);
  gathering.refuseCircles();
  return gathering.result(target);
}

class Gathering {
  readonly #graph: StageGraph;
  readonly #images: ReadonlyMap<string, BaseImage>;
  readonly #instructions: ReadonlyMap<number, Instruction[]>;
  readonly #needs: ReadonlyMap<number, Map<number, Range>>;
  readonly #wanted = new Map<string, WantedImage>();

  constructor(graph: StageGraph, images: ReadonlyMap<string, BaseImage>) {
    this.#graph = graph;
    this.#images = images;
    this.#instructions = new Map(graph.nodes.map(({ index, stage }) => [index, [...stage.instructions]]));
    this.#needs = new Map(graph.nodes.map(({ index }) => [index, new Map<number, Range>()]));
    for (const { index, base, stage } of graph.nodes) {
      if (base.kind === "stage") this.#needs.get(index)!.set(base.stage, stage.from.range);
      this.#addNeeds(index, stage.instructions);
    }
  }

  refuseCircles(): void {
    refuseCircles(
      this.#graph.nodes.map(({ name }) => name),
      this.#needs,
    );
  }

  result(target: number): Gathered {
    return {
      wanted: [...this.#wanted.values()],
      order: reachable(target, this.#needs),
      instructions: this.#instructions,
    };
  }

  /** Puts the triggers of bases before the instructions of the stages that are needed. */
  addTriggers(target: number): void {
    const done = new Set<number>();
    for (;;) {
      const next = reachable(target, this.#needs).find((index) => !done.has(index));
      if (next === undefined) return;
      done.add(next);
      const node = this.#graph.nodes[next]!;
      const triggers = this.#triggersFor(node);
      this.#instructions.get(next)!.unshift(...triggers);
      this.#addNeeds(next, triggers);
      this.#wantImages(node);
    }
  }

  #addNeeds(stage: number, instructions: readonly Instruction[]): void {
    for (const instruction of instructions) {
      for (const origin of this.#graph.sourcesOf(instruction)) {
        if (origin.kind === "stage") this.#needs.get(stage)!.set(origin.stage, instruction.range);
      }
    }
  }

  #triggersFor({ base, stage: { from } }: StageNode): Instruction[] {
    if (base.kind === "image") return triggersOf(this.#images.get(base.reference)?.config.OnBuild ?? [], from.range);
    if (base.kind === "scratch") return [];
    const below = this.#graph.nodes[base.stage]!.stage.instructions;
    const lines = below.flatMap((instruction) => (instruction.kind === "onbuild" ? [instruction.trigger] : []));
    return triggersOf(lines, from.range);
  }

  #wantImages({ index, base, platform, stage }: StageNode): void {
    this.#want(base, stage.from.range, platform);
    for (const instruction of this.#instructions.get(index)!) {
      for (const origin of this.#graph.sourcesOf(instruction)) this.#want(origin, instruction.range, null);
    }
  }

  #want(origin: Origin, range: Range, platform: string | null): void {
    if (origin.kind !== "image" || this.#images.has(origin.reference)) return;
    const { reference } = origin;
    this.#wanted.set(reference, { reference, platform, range });
  }
}
