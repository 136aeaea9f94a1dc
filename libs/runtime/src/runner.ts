import { live } from "./live.ts";
import { rehearse } from "./rehearse.ts";

/** What a code box runs when its runtime is booted in it: `node runner.mjs`. */

/** Enough for Node to have loaded and compiled what an exchange needs; more buys little. */
const ROUNDS = 20;

await rehearse(ROUNDS);
await live({ announce: true });
