import { type BoxJob, BoxTask, decodeJson } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { serveRequest } from "../requests/serve.ts";
import { perform } from "./perform.ts";

/** One request about kept boxes. */
export async function serveBoxes({ channel, request }: BoxJob, deps: WorkerDeps): Promise<void> {
  await serveRequest(
    channel,
    { kind: "box", request, host: deps.host },
    async (requester) => {
      const task = await requester.task(
        (frame) => BoxTask.parse(decodeJson(frame)),
        ({ verb }) => verb === "attach",
      );
      const made = task.verb === "commit" ? deps.inUse.making() : null;
      try {
        return await perform(task, deps, requester);
      } finally {
        made?.();
      }
    },
    deps,
  );
}
