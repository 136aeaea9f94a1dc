import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CliError, EXIT } from "./failure.ts";

/** Which server, and with which key. */
export interface Connection {
  readonly url: string;
  readonly key: string | null;
}

const HERE = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Whether a server is on this host. */
export const isHere = (url: string): boolean => HERE.has(new URL(url).hostname);

/**
 * Flags before environment before the local server's own key, which is never sent to another host.
 * @throws CliError for what is no URL
 */
export function connection(flags: { server?: string; key?: string }, env: NodeJS.ProcessEnv): Connection {
  const given = flags.server ?? (env.MAYFLY_URL || "http://127.0.0.1:8080");
  const url = URL.parse(given);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new CliError(`${JSON.stringify(given)} is no URL`, {
      exit: EXIT.usage,
      hint: "write it like http://127.0.0.1:8080",
    });
  const local = () => (isHere(given) ? localKey(env.MAYFLY_HOME || "/var/lib/mayfly") : null);
  return { url: given.replace(/\/+$/, ""), key: flags.key ?? (env.MAYFLY_KEY || local()) };
}

function localKey(home: string): string | null {
  try {
    return readFileSync(join(home, "key"), "utf8").trim();
  } catch {
    return null;
  }
}
