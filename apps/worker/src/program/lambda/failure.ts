import type { IncomingHttpHeaders } from "node:http";
import type { ErrorFrame } from "@mayfly/contract";
import { z } from "zod";

const Told = z.object({
  errorMessage: z.string().catch(""),
  errorType: z.string().optional().catch(undefined),
  stackTrace: z.array(z.string()).catch([]),
});

/** What a runtime tells of its failure; the header names the kind where the body does not. `body` null: it was too long to be read. */
export function readFailure(headers: IncomingHttpHeaders, body: Buffer | null): ErrorFrame {
  const { errorMessage, errorType, stackTrace } = Told.catch({ errorMessage: "", stackTrace: [] }).parse(parsed(body));
  const header = headers["lambda-runtime-function-error-type"];
  const type = errorType || (typeof header === "string" && header) || "Function.Unknown";
  const message = `${type}: ${errorMessage || "its runtime said no more"}`.slice(0, 4_000);
  return { code: "function_error", message, stack: [message, ...stackTrace].join("\n").slice(0, 16_000) };
}

function parsed(body: Buffer | null): unknown {
  try {
    return JSON.parse(body?.toString() ?? "");
  } catch {
    return {};
  }
}
