import type { Problem } from "@mayfly/contract";
import type { Client } from "../client.ts";
import { CliError, EXIT, problemError } from "../failure.ts";
import { pairOf } from "../flags/pair.ts";
import { type Deployed, followBuild } from "../follow-build.ts";
import { note, out, paint } from "../output.ts";
import { openProgress, progressKind } from "../progress/progress.ts";
import { readSource } from "../source.ts";

/** Settings that go to the server as they are; it knows what can be used. */
export const SETTINGS = [
  ["memory", "<size>", "memory, like 128MiB"],
  ["cpu", "<cores>", "cores, like 0.5"],
  ["timeout", "<time>", "deadline, like 30s"],
  ["tmp", "<size>", "writable bytes, like 64MiB"],
  ["pids", "<n>", "processes and threads"],
  ["concurrency", "<n>", "calls at once"],
  ["access", "<who>", "public or key"],
  ["network", "<kind>", "none, or egress: the public internet"],
  ["contract", "<kind>", "fetch, lambda, http or cgi (default: found by trying; cgi never is)"],
  ["entry", "<path>", "entry module of a project"],
  ["dir", "<path>", "folder of the source that is built: a workspace, or the context of a Dockerfile"],
  ["install-scripts", "<on>", "on: packages may run scripts while they are installed (default off)"],
  ["dockerfile", "<path>", "the Dockerfile in its context, when it is no Dockerfile at the root"],
  ["target", "<stage>", "stage of the Dockerfile, when it is not the last"],
] as const;

export type DeployFlags = { readonly [name in (typeof SETTINGS)[number][0]]?: string } & {
  readonly name?: string;
  readonly installScripts?: string;
  readonly env?: string[];
  readonly buildArg?: string[];
  readonly label?: string[];
  readonly withNodeModules?: boolean;
  readonly json?: boolean;
  readonly progress?: string;
};

/** Sends a source, shows its build while it runs, and ends with the URL alone on stdout. */
export async function deploy(client: Client, path: string, flags: DeployFlags): Promise<void> {
  const query = new URLSearchParams(settingsOf(flags));
  const source = readSource(path, { nodeModules: flags.withNodeModules === true });
  for (const [name, value] of Object.entries(source.query)) query.set(name, value);
  const name = flags.name ?? source.suggestedName;
  if (!name)
    throw new CliError("the function needs a name", { exit: EXIT.usage, hint: `mayfly deploy ${path} --name hello` });
  const response = await client.ok(`/v1/functions/${encodeURIComponent(name)}?${query}`, {
    method: "PUT",
    headers: { ...source.headers, accept: "application/x-ndjson" },
    body: source.body,
    duplex: "half",
  } as RequestInit);
  const progress = openProgress(flags.json ? "rawjson" : progressKind(flags.progress ?? "auto"), process.stderr);
  const last = await followBuild(client, response, progress.take, progress.say);
  progress.end(last);
  if (flags.json) out(JSON.stringify(last));
  if (last.status === "error") throw failed(last);
  note(`${paint("bold", name)} v${last.version} is live`);
  if (!flags.json) out(last.url!);
}

/** As pairs for the query. @throws CliError for what is no NAME=value */
export function settingsOf(flags: DeployFlags): [string, string][] {
  const given = { ...flags, "install-scripts": flags.installScripts };
  const plain = SETTINGS.flatMap(([name]) => (given[name] === undefined ? [] : [[name, given[name]] as const]));
  const named = { env: flags.env, label: flags.label, "build-arg": flags.buildArg };
  const pairs = Object.entries(named).flatMap(([kind, texts]) =>
    (texts ?? []).map((text) => {
      const [name, value] = pairOf(`--${kind}`, text);
      return [`${kind}.${name}`, value] as const;
    }),
  );
  return [...plain, ...pairs].map(([name, value]) => [name, value]);
}

function failed(last: Deployed): CliError {
  const { message, ...problem } = last.error!;
  return problemError({ ...(problem as unknown as Problem), detail: message });
}
