import { spawn } from "node:child_process";
import { PEER_PACKAGES, RUN_PACKAGES, TEST_PACKAGES } from "./bootstrap/packages.mjs";
import { fail, handOver, prepare } from "./bootstrap/prepare.mjs";

/** `npm run bench [-- NAME]`: measures beside peers, from a fresh clone. */
try {
  prepare({ ...RUN_PACKAGES, ...TEST_PACKAGES, ...PEER_PACKAGES }, (line) => process.stderr.write(`setup  ${line}\n`));
} catch (error) {
  fail(error);
}
await handOver(spawn, "test/bench/main.ts", process.argv.slice(2));
