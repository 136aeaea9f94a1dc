import { readFileSync } from "node:fs";
import { EXIT } from "./failure.ts";

export const VERSION: string = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;

export const HELP_BEFORE = `Examples
  mayfly deploy hello.ts                       the URL alone on stdout, all else on stderr
  mayfly invoke hello -d '{"a":1}' --bill
  mayfly bills --since 24h --by function
`;

const MEANINGS: Record<keyof typeof EXIT, string> = {
  ok: "done",
  failed: "the function or the server said no",
  usage: "usage: a flag or a setting cannot be used",
  unreachable: "no server answers",
  retry: "not now: try again",
  auth: "the key is missing or may not do that",
  config: "this host cannot run Mayfly",
  timeout: "the function did not answer in time",
};
const exits = Object.entries(EXIT).map(([name, code]) => [code, MEANINGS[name as keyof typeof EXIT]] as const);

export const HELP_AFTER = `
Exit status
${[...exits, [130, "stopped by Ctrl-C"] as const].map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join("\n")}

Environment
  MAYFLY_URL   server (default http://127.0.0.1:8080)
  MAYFLY_KEY   key (default, for a server on this host: what is in $MAYFLY_HOME/key)
  NO_COLOR     no colour
`;
