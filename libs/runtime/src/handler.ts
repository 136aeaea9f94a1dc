/** Finds the handler in what a module exports: the contract `fetch` in all its shapes. */

export interface Context {
  /** Keeps the box until the promise settles, or the deadline. */
  waitUntil(promise: Promise<unknown>): void;
  /** Id of this call. */
  readonly invocation: string;
  /** Unix epoch in milliseconds. */
  readonly deadline: number;
}
export type Env = Readonly<Record<string, string>>;
export type Handler = (request: Request, env: Env, context: Context) => unknown;

export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

export interface Found {
  readonly handler: Handler | null;
  /** Names of all exports, for people whose handler was not found. */
  readonly exports: readonly string[];
}

export function findHandler(module: Record<string, unknown>): Found {
  const exports = exportNames(module);
  return { handler: fromDefault(module) ?? fromMethods(module), exports };
}

function fromDefault(module: Record<string, unknown>): Handler | null {
  const value = unwrap(module.default);
  if (hasFetch(value)) return (request, env, context) => value.fetch(request, env, context);
  if (typeof value === "function" && !isClass(value)) return value as Handler;
  // CommonJS: `exports.GET = …` arrives as an object under `default`.
  return value !== null && typeof value === "object" ? fromMethods(value as Record<string, unknown>) : null;
}

/** `module.exports.default` of a transpiled CommonJS module. */
function unwrap(value: unknown): unknown {
  return value !== null && typeof value === "object" && !hasFetch(value) && "default" in value ? value.default : value;
}

function hasFetch(value: unknown): value is { fetch: Handler } {
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
  return (request, env, context) => {
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
