import { spawn } from "node:child_process";
import { RUN_PACKAGES } from "./bootstrap/packages.mjs";
import { fail, handOver, prepare } from "./bootstrap/prepare.mjs";
import { HELP } from "./help.mjs";

/** `npm start`: from a fresh clone to a running system. Everything after `npm ci` is TypeScript on Node 24. */
const args = process.argv.slice(2);
if (args.includes("--help") || args.includes("-h")) {
  process.stdout.write(HELP);
  process.exit(0);
}
try {
  prepare(RUN_PACKAGES, (line) => process.stderr.write(`setup  ${line}\n`));
} catch (error) {
  fail(error);
}
await handOver(spawn, "infra/src/start.ts", args);
