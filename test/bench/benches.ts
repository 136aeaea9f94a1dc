import type { Bench } from "./bench.ts";
import { box } from "./box.ts";
import { build } from "./build.ts";
import { churn } from "./churn.ts";
import { e2e } from "./e2e.ts";
import { floor } from "./floor.ts";
import { functions } from "./functions.ts";
import { idle } from "./idle.ts";
import { image } from "./image.ts";
import { metering } from "./metering.ts";
import { start } from "./start.ts";
import { waiting } from "./waiting.ts";

/** In the order of a whole run and of docs/performance.md: what asks for a system that has served little comes first. */
export const BENCHES: readonly Bench[] = [
  idle,
  functions,
  waiting,
  start,
  box,
  e2e,
  floor,
  metering,
  churn,
  image,
  build,
];
