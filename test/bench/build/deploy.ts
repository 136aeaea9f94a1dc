import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Subject } from "../measure/blocks.ts";
import { runCommand } from "../peers/command.ts";
import type { Mayfly } from "../system/mayfly.ts";

/** Another module each time: nobody has built it before. */
const moduleOf = (turn: number): string => `type Answer = { readonly turn: number };
const answer: Answer = { turn: ${turn} };
export default { fetch: (request: Request) => Response.json({ ...answer, path: new URL(request.url).pathname }) };
`;

/** From the first byte of the upload to the last one of the first answer. */
export function deployed({ system, processes }: Mayfly): Subject {
  let turn = 0;
  return {
    name: "mayfly: upload to first answer",
    pids: Object.values(processes()),
    async run() {
      turn += 1;
      const began = performance.now();
      const answer = await system.deploy("bench-build", moduleOf(turn), "", {
        "content-type": "application/typescript",
      });
      if (!answer.ok || answer.status === 202) throw new Error(`deploy: ${answer.status} ${await answer.text()}`);
      const { turn: answered } = (await (await system.call("bench-build")).json()) as { turn: number };
      const took = performance.now() - began;
      if (answered !== turn) throw new Error(`version ${answered} answered, and ${turn} was deployed`);
      return took;
    },
  };
}

/** The program alone, on the same module. */
export function bundled(dir: string): Subject {
  const require = createRequire(createRequire(import.meta.url).resolve("esbuild"));
  const esbuild = require.resolve(`@esbuild/linux-${process.arch}/bin/esbuild`);
  mkdirSync(dir, { recursive: true });
  let turn = 0;
  return {
    name: "esbuild alone",
    pids: [process.pid],
    async run() {
      turn += 1;
      writeFileSync(join(dir, "index.ts"), moduleOf(turn));
      const args = [
        "index.ts",
        "--bundle",
        "--platform=node",
        "--format=esm",
        "--outfile=index.mjs",
        "--log-level=error",
      ];
      return (await runCommand({ file: esbuild, args, cwd: dir })).end_ms;
    },
  };
}
