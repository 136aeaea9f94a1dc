import { FAULTS, type FaultCode, type Problem } from "@mayfly/contract";

/** Exit codes (sysexits.h and shells' customs): scripts rely on them. `--help` lists them. */
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
  constructor(message: string, options: { exit: number; hint?: string | undefined; problem?: Problem | undefined }) {
    super(message);
    this.exit = options.exit;
    this.hint = options.hint;
    this.problem = options.problem;
  }
}

const KEY_HINT =
  "give the server's key with --key or in MAYFLY_KEY; npm start shows it, and it lies in $MAYFLY_HOME/key";

/** A problem document as the command's failure: the server's words, and the exit status that stands for its code. */
export function problemError(problem: Problem): CliError {
  return new CliError(`${problem.code}: ${problem.detail}`, {
    exit: exitOf(problem.code),
    hint: problem.code === "unauthorized" ? KEY_HINT : problem.hint,
    problem,
  });
}

function exitOf(code: FaultCode): number {
  const row = Object.hasOwn(FAULTS, code) ? FAULTS[code] : null;
  if (row === null) return EXIT.failed;
  if (row.status === 401 || row.status === 403) return EXIT.auth;
  if (code === "bad_setting" || code === "bad_request") return EXIT.usage;
  if (code === "timeout") return EXIT.timeout;
  return row.retry ? EXIT.retry : EXIT.failed;
}

/** A problem document of the platform, or null: a function may answer with problems of its own. */
export function parseProblem(text: string): Problem | null {
  try {
    const value = JSON.parse(text);
    const ours = value?.type === `/docs/errors#${value?.code}` && typeof value?.detail === "string";
    return ours ? value : null;
  } catch {
    return null;
  }
}

const NOBODY = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** fetch says "fetch failed" to everything: the reason is its cause, and it may be the file that was to be sent. */
export function fetchError(url: string, error: unknown): CliError {
  const cause = (error as Error).cause as NodeJS.ErrnoException | CliError | undefined;
  if (cause instanceof CliError) return cause;
  if (NOBODY.has(cause?.code ?? ""))
    return new CliError(`no server answers at ${url}`, {
      exit: EXIT.unreachable,
      hint: "start one with npm start, or name another with --server",
    });
  if (cause?.path !== undefined)
    return new CliError(`cannot read what is to be sent: ${cause.message}`, { exit: EXIT.usage });
  const reason = cause?.message ?? (error instanceof Error ? error.message : String(error));
  return new CliError(`the connection to ${url} broke off: ${reason}`, { exit: EXIT.retry, hint: "try again" });
}
