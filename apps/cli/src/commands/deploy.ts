import type { BuildRecord, Problem } from "@mayfly/contract";
import { CliError, type Client, EXIT, failure, problemError } from "../client.ts";
import { note, out, paint } from "../output.ts";
import { readSource } from "../source.ts";

export interface DeployFlags {
  readonly name?: string;
  readonly memory?: string;
  readonly cpu?: string;
  readonly timeout?: string;
  readonly tmp?: string;
  readonly pids?: string;
  readonly concurrency?: string;
  readonly access?: string;
  readonly network?: string;
  readonly entry?: string;
  readonly env?: string[];
  readonly label?: string[];
  readonly json?: boolean;
}

/** Sends a source, shows its build while it runs, and ends with the URL alone on stdout. */
export async function deploy(client: Client, path: string, flags: DeployFlags): Promise<void> {
  const source = readSource(path);
  const name = flags.name ?? source.suggestedName;
  if (!name)
    throw new CliError("the function needs a name", { exit: EXIT.usage, hint: "mayfly deploy - --name hello" });
  const query = new URLSearchParams({ ...source.query, ...plainSettings(flags) });
  for (const [kind, pairs] of [
    ["env", flags.env],
    ["label", flags.label],
  ] as const) {
    for (const pair of pairs ?? []) {
      const at = pair.indexOf("=");
      if (at < 1) throw new CliError(`--${kind} ${pair}: write it like NAME=value`, { exit: EXIT.usage });
      query.set(`${kind}.${pair.slice(0, at)}`, pair.slice(at + 1));
    }
  }
  const response = await client.fetch(`/v1/functions/${encodeURIComponent(name)}?${query}`, {
    method: "PUT",
    headers: { ...source.headers, accept: "application/x-ndjson" },
    body: source.body,
    duplex: "half",
  } as RequestInit);
  if (!response.ok) throw await failure(response);
  const last = await follow(response, flags.json === true);
  if (last.status === "error")
    throw problemError({ ...(last.error as unknown as Problem), detail: last.error!.message });
  note(`${paint("bold", name)} v${last.version} is live`);
  out(flags.json ? JSON.stringify(last) : last.url!);
}

function plainSettings(flags: DeployFlags): Record<string, string> {
  const { memory, cpu, timeout, tmp, pids, concurrency, access, network, entry } = flags;
  const given = Object.entries({ memory, cpu, timeout, tmp, pids, concurrency, access, network, entry });
  return Object.fromEntries(given.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** Shows each record of the log; answers the last one, which says how it ended. */
async function follow(response: Response, asJson: boolean): Promise<BuildRecord> {
  let last: BuildRecord | null = null;
  for await (const line of linesOf(response)) {
    const record = JSON.parse(line) as BuildRecord;
    if (record.step === "result") last = record;
    else if (asJson) note(line);
    else show(record);
  }
  if (last) return last;
  throw new CliError("the log broke off before the build ended; it goes on", {
    exit: EXIT.retry,
    hint: "mayfly inspect NAME shows what came of it",
  });
}

function show(record: BuildRecord): void {
  const time = record.elapsed_ms === undefined ? "" : paint("dim", ` ${record.elapsed_ms} ms`);
  if (record.status === "done") note(`  ${paint("green", "✓")} ${record.step.padEnd(8)} ${record.msg ?? ""}${time}`);
  else if (record.status === "log") note(`    ${record.msg ?? ""}`);
  else if (record.status === "error") {
    note(`  ${paint("red", "✗")} ${record.error?.message ?? record.step}`);
    for (const { excerpt } of (record.error?.locations as { excerpt: string }[] | undefined) ?? [])
      note(excerpt.replace(/^/gm, "    "));
  }
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split("\n");
    rest = parts.pop()!;
    yield* parts.filter((part) => part !== "");
  }
}
