import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { openContext } from "../../../apps/cli/src/build/context.ts";
import type { Order } from "./builder.ts";

/** A context on its way to our builder. */
export interface Packed {
  readonly tar: AsyncIterable<Uint8Array>;
  /** Path in it. */
  readonly dockerfile: string;
}

export type Packing = (order: Order) => Promise<Packed>;

/** As `mayfly build -f DOCKERFILE DIR` sends it. @throws CliError */
export const byOurClient: Packing = async ({ dir, dockerfile }) => {
  const { body, dockerfile: path } = await openContext(dir, resolve(dir, dockerfile), Readable.from([]));
  return { tar: body, dockerfile: path ?? "Dockerfile" };
};

/** As `tar -C DIR -c .` does, for `curl -T`. The Dockerfile lies in the folder. */
export const byTar: Packing = async ({ dir, dockerfile }) => ({ tar: tarOf(dir), dockerfile });

async function* tarOf(dir: string): AsyncGenerator<Uint8Array> {
  const child = spawn("tar", ["-C", dir, "--numeric-owner", "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
  yield* child.stdout;
}
