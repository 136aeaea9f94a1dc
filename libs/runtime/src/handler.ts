import type { Contract } from "@mayfly/contract";
import type { Call } from "./call.ts";
import { lambdaHandler } from "./lambda/handler.ts";

/** What answers a call, whatever its shape was. What it returns is not checked yet. */
export type Handler = (call: Call) => unknown;

export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

export interface Found {
  readonly handler: Handler | null;
  readonly contract: "fetch" | "lambda" | null;
  /** Names of all exports, for people whose handler was not found. */
  readonly exports: readonly string[];
}

/**
 * Finds the handler in what a module exports: of the contract that is wanted, else `fetch` in all its shapes, else `lambda`.
 * @throws Error for a handler that no call can be given to
 */
export function findHandler(module: Record<string, unknown>, wanted: Contract | null): Found {
  const exports = exportNames(module);
  const fetch = wanted === "lambda" ? null : (fromDefault(module) ?? fromMethods(module));
  if (fetch) return { handler: fetch, contract: "fetch", exports };
  const lambda = wanted === "fetch" ? null : lambdaHandler(module);
  return { handler: lambda, contract: lambda ? "lambda" : null, exports };
}

/** As people write it. */
type FetchHandler = (request: Request, env: Call["env"], context: Call["context"]) => unknown;

function fromDefault(module: Record<string, unknown>): Handler | null {
  const value = unwrap(module.default);
  if (hasFetch(value)) return ({ request, env, context }) => value.fetch(request, env, context);
  if (typeof value === "function" && !isClass(value))
    return ({ request, env, context }) => (value as FetchHandler)(request, env, context);
  // CommonJS: `exports.GET = …` arrives as an object under `default`.
  return value !== null && typeof value === "object" ? fromMethods(value as Record<string, unknown>) : null;
}

/** `module.exports.default` of a transpiled CommonJS module. */
function unwrap(value: unknown): unknown {
  return value !== null && typeof value === "object" && !hasFetch(value) && "default" in value ? value.default : value;
}

function hasFetch(value: unknown): value is { fetch: FetchHandler } {
  return (
    value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof (value as { fetch?: unknown }).fetch === "function"
  );
}

const isClass = (value: unknown): boolean => /^class\b/.test(Function.prototype.toString.call(value));

function fromMethods(module: Record<string, unknown>): Handler | null {
  const offered = METHODS.filter((method) => typeof module[method] === "function");
  if (offered.length === 0) return null;
  const allow = [...new Set([...offered, ...(offered.includes("GET") ? ["HEAD"] : []), "OPTIONS"])].join(", ");
  return ({ request, env, context }) => {
    const own = module[request.method] ?? (request.method === "HEAD" ? module.GET : undefined);
    if (typeof own === "function") return own(request, env, context);
    return new Response(null, { status: request.method === "OPTIONS" ? 204 : 405, headers: { allow } });
  };
}

function exportNames(module: Record<string, unknown>): string[] {
  // Both are Node's own, for modules that `require` read.
  const names = Object.keys(module).filter((name) => name !== "module.exports" && name !== "__esModule");
  const inner = module.default;
  const kind = inner === undefined ? null : inner === null ? "null" : typeof inner;
  return names.map((name) => (name === "default" && kind ? `default (${describe(inner, kind)})` : name)).sort();
}

function describe(value: unknown, kind: string): string {
  if (kind === "function") return isClass(value) ? "class" : "function";
  if (kind !== "object") return kind;
  return `object with ${
    Object.keys(value as object)
      .slice(0, 10)
      .join(", ") || "nothing"
  }`;
}
