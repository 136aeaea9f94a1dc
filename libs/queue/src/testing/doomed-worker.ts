import { writeSync } from "node:fs";
import { consume } from "../jobs/consumer.ts";

/** A worker process for tests that takes one job of each queue and never ends it, so that it can be killed while it holds them. */
const [, , path] = process.argv;
for (const queue of ["invoke", "build"] as const) {
  consume({
    redis: { path: path! },
    prefix: "test",
    queue,
    concurrency: 1,
    process: () => {
      writeSync(1, `${queue}\n`);
      return new Promise(() => {});
    },
    onError: () => {},
  });
}
