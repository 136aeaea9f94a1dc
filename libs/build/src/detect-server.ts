import { type Digest, describeEnding } from "@mayfly/contract";
import type { DetectInput } from "./detect-in-box.ts";
import { BuildStopped } from "./fault.ts";
import type { Meter } from "./meter.ts";
import type { Records } from "./records.ts";
import type { TryServer } from "./session.ts";

const HINT = "the image's ENTRYPOINT and CMD must serve HTTP on port $PORT (8080), on every address or on 127.0.0.1";

/** Starts an image's program as a call would: does it take connections? @throws BuildStopped when it ends or stays silent */
export async function detectServer(
  image: Digest,
  { job, tryServer, signal }: DetectInput & { readonly tryServer: TryServer },
  records: Records,
  meter: Meter,
): Promise<{ contract: "http"; exports: string[] }> {
  records.start("detect");
  const tried = await tryServer(
    {
      image,
      function: job.function,
      settings: job.settings,
      onLog: (stream, text) => records.log("detect", text, stream),
    },
    signal,
  );
  meter.add(tried.usage, tried.wall_us);
  if (tried.heard_us === null) {
    const { ending, waited_ms } = tried;
    const what =
      ending === null
        ? `nothing listened on port 8080 within ${waited_ms / 1000} s`
        : `the image's program ${describeEnding(ending)} before it listened on port 8080`;
    throw new BuildStopped({ code: "handler_not_found", message: what, hint: HINT });
  }
  records.done("detect", `contract http: it listened after ${Math.round(tried.heard_us / 1000)} ms`);
  return { contract: "http", exports: [] };
}
