import { decodeJson, type ImageJob, ImageTask } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { serveRequest } from "../requests/serve.ts";
import { perform } from "./perform.ts";

const takesBody = ({ verb }: ImageTask): boolean => verb === "load" || verb === "import";

/** One request about images. */
export async function serveImages({ channel, request }: ImageJob, deps: WorkerDeps): Promise<void> {
  const made = deps.inUse.making();
  try {
    await serveRequest(
      channel,
      { kind: "image", request, host: deps.host },
      async (requester) => {
        const task = await requester.task((frame) => ImageTask.parse(decodeJson(frame)), takesBody);
        return perform(task, deps, requester);
      },
      deps,
    );
  } finally {
    made();
  }
}
