import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { LoadJob, LoadRun } from "./job.ts";

export interface Generator {
  readonly pid: number;
  run(job: LoadJob): Promise<LoadRun>;
}

/** Starts the generator's process. It stays, so that its code is warm when it counts. */
export function startGenerator(after: AsyncDisposableStack): Generator {
  const child = fork(join(import.meta.dirname, "main.ts"), { execArgv: ["--disable-warning=ExperimentalWarning"] });
  after.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    if (child.connected) child.disconnect();
    await once(child, "exit");
  });
  return {
    pid: child.pid!,
    run: async (job) => {
      const heard = new AbortController();
      child.send(job);
      try {
        const [answer] = (await Promise.race([
          once(child, "message", { signal: heard.signal }),
          once(child, "exit", { signal: heard.signal }).then(([code]) => [{ error: `the generator ended: ${code}` }]),
        ])) as [{ run?: LoadRun; error?: string }];
        if (!answer.run) throw new Error(answer.error);
        return answer.run;
      } finally {
        heard.abort();
      }
    },
  };
}
