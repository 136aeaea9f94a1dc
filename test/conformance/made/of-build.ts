import type { Builder, Order } from "../builders/builder.ts";
import { configOf } from "./config.ts";
import type { Made } from "./made.ts";
import { changesOf, type Tree, treeOf } from "./tree.ts";

/** A base as an engine has it. */
export interface EngineBase {
  readonly tree: Tree;
  readonly history: number;
}

const NOTHING: EngineBase = { tree: new Map(), history: 0 };

/** An engine, and what it made of the bases. */
export class Engine {
  readonly name: string;
  readonly #builder: Builder;
  readonly #bases: readonly EngineBase[];

  private constructor(builder: Builder, bases: readonly EngineBase[]) {
    this.name = builder.name;
    this.#builder = builder;
    this.#bases = bases;
  }

  static async of(builder: Builder, bases: readonly string[]): Promise<Engine> {
    const found = bases.map(async (name): Promise<EngineBase> => {
      const { lower, document } = await builder.image(name);
      return { tree: await treeOf(lower), history: document.history?.length ?? 0 };
    });
    return new Engine(builder, await Promise.all(found));
  }

  /** Times since `began_s` are of the build. */
  async make(order: Order, began_s: number): Promise<Made> {
    const built = await this.#builder.build(order);
    if ("refused" in built) return built;
    const { lower, document } = await this.#builder.image(built.image);
    const tree = await treeOf(lower);
    const base = this.#bases.find((candidate) => isOver(tree, candidate.tree)) ?? NOTHING;
    return { files: changesOf(tree, base.tree, began_s), config: configOf(document, base.history) };
  }
}

/** Whatever stages there are: what has most of a base stands on it. */
function isOver(tree: Tree, base: Tree): boolean {
  let there = 0;
  for (const path of base.keys()) if (tree.has(path)) there += 1;
  return there * 2 > base.size;
}
