/**
 * A host of boxes in the network namespace that this program was started in. Does what the lines of its standard input say: a function as
 * text and its argument; answers each with a line. Ends with its input, and closes the host then.
 */
import { execFile } from "node:child_process";
import { createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { TestBoxes } from "../../testing/boxes.ts";
import { serveNames } from "./names.ts";

/** What functions that run in the driver get. */
export interface Inside {
  readonly boxes: TestBoxes;
  /** Runs a shell command in the host's network namespace. */
  sh(command: string): Promise<string>;
  /** Takes connections to all addresses of the host and closes them. */
  listen(port: number): Server;
  /** A resolver of the host's own. */
  serveNames(address: string): void;
  /** Things that one function leaves for the next one. */
  readonly kept: Map<string, unknown>;
}

const inside: Inside = {
  boxes: await TestBoxes.open(JSON.parse(process.argv[2]!)),
  sh: async (command) => (await promisify(execFile)("sh", ["-c", command])).stdout,
  listen: (port) => createServer((socket) => socket.end()).listen(port, "::"),
  serveNames,
  kept: new Map(),
};
process.stdout.write("{}\n");
for await (const line of createInterface({ input: process.stdin })) {
  const { source, argument } = JSON.parse(line);
  try {
    const result = await new Function(`return ${source}`)()(inside, argument);
    process.stdout.write(`${JSON.stringify({ result: result ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: (error as Error).message })}\n`);
  }
}
await inside.boxes.close();
// What a test left listening would keep us.
process.exit();
