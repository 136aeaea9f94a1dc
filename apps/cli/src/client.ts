import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "@mayfly/contract";

/** Exit codes (sysexits.h and shells' customs): scripts rely on them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 69,
  retry: 75,
  auth: 77,
  config: 78,
  timeout: 124,
} as const;

/** What the user is told when a command cannot do what was asked; nothing else is a failure. */
export class CliError extends Error {
  override name = "CliError";
  readonly exit: number;
  readonly hint: string | undefined;
  readonly problem: Problem | undefined;
  constructor(message: string, options: { exit: number; hint?: string | undefined; problem?: Problem }) {
    super(message);
    this.exit = options.exit;
    this.hint = options.hint;
    this.problem = options.problem;
  }
}

export interface Connection {
  readonly url: string;
  readonly key: string | null;
}

/** Flags before environment before the local server's own key. */
export function connection(flags: { server?: string; key?: string }, env: NodeJS.ProcessEnv): Connection {
  const url = (flags.server ?? env.MAYFLY_URL ?? "http://127.0.0.1:8080").replace(/\/+$/, "");
  return { url, key: flags.key ?? env.MAYFLY_KEY ?? localKey(env.MAYFLY_HOME ?? "/var/lib/mayfly") };
}

function localKey(home: string): string | null {
  try {
    return readFileSync(join(home, "key"), "utf8").trim();
  } catch {
    return null;
  }
}

/** The API over HTTP. Answers of the platform that are failures are thrown as CliError. */
export class Client {
  readonly url: string;
  readonly #key: string | null;

  constructor({ url, key }: Connection) {
    this.url = url;
    this.#key = key;
  }

  /** Any answer, as it is. @throws CliError when no server answers */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#key) headers.set("authorization", `Bearer ${this.#key}`);
    try {
      return await fetch(`${this.url}${path}`, { ...init, headers });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new CliError(`no server answers at ${this.url}`, {
        exit: EXIT.unreachable,
        hint: "start one with npm start, or name another with --server",
      });
    }
  }

  /** @throws CliError with the server's own words */
  async ok(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await this.fetch(path, init);
    if (response.ok) return response;
    throw await failure(response);
  }

  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    return (await (await this.ok(path, init)).json()) as T;
  }
}

export async function failure(response: Response): Promise<CliError> {
  const text = await response.text();
  const problem = parseProblem(text);
  return problem
    ? problemError(problem)
    : new CliError(`the server answered ${response.status}: ${text.slice(0, 200)}`, { exit: EXIT.failed });
}

export function problemError(problem: Problem): CliError {
  const exits: Record<string, number> = {
    unauthorized: EXIT.auth,
    forbidden: EXIT.auth,
    bad_setting: EXIT.usage,
    bad_request: EXIT.usage,
    timeout: EXIT.timeout,
    no_capacity: EXIT.retry,
    unavailable: EXIT.retry,
  };
  return new CliError(`${problem.code}: ${problem.detail}`, {
    exit: exits[problem.code] ?? EXIT.failed,
    hint: problem.hint,
    problem,
  });
}

function parseProblem(text: string): Problem | null {
  try {
    const value = JSON.parse(text);
    return typeof value?.code === "string" && typeof value?.detail === "string" ? value : null;
  } catch {
    return null;
  }
}
