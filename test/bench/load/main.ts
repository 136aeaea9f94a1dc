import { generate } from "./generate.ts";
import type { LoadJob } from "./job.ts";

/** The load generator as a process of its own: what it takes to ask is not mixed with what it takes to answer. One job at a time. */
process.on("message", async (job: LoadJob) => {
  try {
    process.send!({ run: await generate(job) });
  } catch (error) {
    process.send!({ error: (error as Error).stack });
  }
});
process.on("disconnect", () => process.exit());
