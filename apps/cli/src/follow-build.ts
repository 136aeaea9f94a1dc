import { setTimeout as sleep } from "node:timers/promises";
import type { BuildRecord } from "@mayfly/contract";
import type { Client } from "./client.ts";
import { CliError, EXIT } from "./failure.ts";
import { linesOf } from "./lines.ts";
import { note, paint } from "./output.ts";

/** How a deploy ended: the last record of its log. */
export type Deployed = BuildRecord;

/** How long a server may be away while it is asked what became of a build. */
const AWAY_MS = 30_000;

/**
 * Shows each record of a build's log as it comes; answers the last one. A log that breaks off is not the end of the build: the build goes
 * on in the worker, and the server is asked for its end. @throws CliError when the server stays away
 */
export async function followBuild(client: Client, response: Response, flags: { json: boolean }): Promise<Deployed> {
  const build = response.headers.get("location")?.split("/").at(-1) ?? null;
  const interrupted = () => {
    if (build) note(`\nthe build goes on: mayfly inspect ${build} shows what comes of it`);
  };
  process.prependOnceListener("SIGINT", interrupted);
  try {
    for await (const line of linesOf(client.chunks(response))) {
      const record = JSON.parse(line) as BuildRecord;
      if (record.step === "result") return record;
      if (flags.json) note(line);
      else show(record);
    }
  } catch (error) {
    if (!(error instanceof CliError) || !build) throw error;
  } finally {
    process.off("SIGINT", interrupted);
  }
  if (!build) throw new CliError("the log broke off before its end", { exit: EXIT.retry, hint: "deploy again" });
  note("  the log broke off; the build goes on, waiting for its end");
  return endOf(client, build);
}

interface BuildView {
  readonly function: string;
  readonly status: "queued" | "done" | "failed" | "canceled";
  readonly version: number | null;
  readonly error: { code: string; message: string } | null;
}

async function endOf(client: Client, build: string): Promise<Deployed> {
  for (let until = Date.now() + AWAY_MS; ; ) {
    try {
      const view = await client.json<BuildView>(`/v1/builds/${build}?wait=30`);
      if (view.status !== "queued") return resultOf(build, view, client.url);
      until = Date.now() + AWAY_MS;
    } catch (error) {
      const away = error instanceof CliError && (error.exit === EXIT.unreachable || error.exit === EXIT.retry);
      if (!away || Date.now() > until) throw error;
      await sleep(500);
    }
  }
}

function resultOf(build: string, view: BuildView, server: string): Deployed {
  const base = { ts: new Date().toISOString(), seq: 0, step: "result", build, function: view.function };
  if (view.status === "done")
    return { ...base, status: "done", version: view.version!, url: `${server}/fn/${view.function}` };
  const error = view.error ?? { code: "conflict", message: `build ${build} was canceled` };
  return { ...base, status: "error", error };
}

function show(record: BuildRecord): void {
  const time = record.elapsed_ms === undefined ? "" : paint("dim", ` ${record.elapsed_ms} ms`);
  if (record.status === "done") note(`  ${paint("green", "✓")} ${record.step.padEnd(8)} ${record.msg ?? ""}${time}`);
  else if (record.status === "log") note(`    ${record.msg ?? ""}`);
  else if (record.status === "error") {
    // What was wrong is said at the end, once; here, where.
    note(`  ${paint("red", "✗")} ${record.step}`);
    for (const { excerpt } of (record.error?.locations as { excerpt: string }[] | undefined) ?? [])
      note(excerpt.replace(/^/gm, "    "));
  }
}
