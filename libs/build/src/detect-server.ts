import { contractOf, type Digest, describeEnding } from "@mayfly/contract";
import type { DetectInput } from "./detect-in-box.ts";
import { BuildStopped } from "./fault.ts";
import type { Meter } from "./meter.ts";
import type { Records } from "./records.ts";
import type { ServerContract, TryServer } from "./session.ts";

const SERVES = "the image's ENTRYPOINT and CMD must serve HTTP on port $PORT (8080), on every address or on 127.0.0.1";
const ASKS =
  "the image's ENTRYPOINT and CMD must run a Lambda runtime, which asks $AWS_LAMBDA_RUNTIME_API for its requests";
const DID = {
  http: "listened on port 8080",
  "runtime-api": "asked the Lambda Runtime API for a request",
} as const;

/** Starts an image's program as a call would: in which way does it take a request? @throws BuildStopped when it ends or stays silent */
export async function detectServer(
  image: Digest,
  contracts: readonly ServerContract[],
  { job, tryServer, signal }: DetectInput & { readonly tryServer: TryServer },
  records: Records,
  meter: Meter,
): Promise<{ contract: ServerContract; exports: string[] }> {
  records.start("detect");
  const tried = await tryServer(
    {
      image,
      function: job.function,
      settings: job.settings,
      contracts,
      onLog: (stream, text) => records.log("detect", text, stream),
    },
    signal,
  );
  meter.add(tried.usage, { wall_us: tried.wall_us, memory_limit_bytes: job.settings.memory_bytes });
  const { found, failure, ending, waited_ms } = tried;
  if (found !== null) {
    const { contract, after_us } = found;
    records.done(
      "detect",
      `contract ${contractOf(contract)}: it ${DID[contract]} after ${Math.round(after_us / 1000)} ms`,
    );
    return { contract, exports: [] };
  }
  const awaited = contracts.map((contract) => DID[contract]).join(" or ");
  const what =
    failure !== null
      ? `the image's program failed while it started: ${failure}`
      : ending === null
        ? `nothing ${awaited} within ${waited_ms / 1000} s`
        : `the image's program ${describeEnding(ending)} before it ${awaited}`;
  const hint = [contracts.includes("http") ? SERVES : [], contracts.includes("runtime-api") ? ASKS : []].flat();
  throw new BuildStopped({ code: "handler_not_found", message: what, hint: hint.join("; or ") });
}
