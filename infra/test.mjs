import { spawn } from "node:child_process";
import { RUN_PACKAGES, TEST_PACKAGES } from "./bootstrap/packages.mjs";
import { fail, handOver, prepare } from "./bootstrap/prepare.mjs";

/** `npm test`: from a fresh clone to a verdict. Everything after `npm ci` is TypeScript on Node 24. */
try {
  prepare({ ...RUN_PACKAGES, ...TEST_PACKAGES }, (line) => process.stderr.write(`setup  ${line}\n`));
} catch (error) {
  fail(error);
}
await handOver(spawn, "infra/src/test/main.ts", process.argv.slice(2));
