import { setTimeout as sleep } from "node:timers/promises";
import type { BuildRecord } from "@mayfly/contract";
import type { Client } from "./client.ts";
import { CliError, EXIT } from "./failure.ts";
import { linesOf } from "./lines.ts";
import { note } from "./output.ts";

/** How a deploy ended: the last record of its log. */
export type Deployed = BuildRecord;

/** How long a server may be away while it is asked what became of a build. */
const AWAY_MS = 30_000;
/** After so long without a word a build waits for its turn: workers build a few at once. */
const WAITS_MS = 2_000;
/** How long one is waited for that is told to stop. */
const CANCELLED_MS = 3_000;

/**
 * Shows each record of a build's log as it comes; answers the last one. `say`: of a build that waits. A log that breaks off is not the end of the build: the build goes
 * on in the worker, and the server is asked for its end. @throws CliError when the server stays away
 */
export async function followBuild(
  client: Client,
  response: Response,
  onRecord: (record: BuildRecord) => void,
  say: (line: string) => void = () => {},
): Promise<Deployed> {
  const waiting = setTimeout(say, WAITS_MS, "waiting for its turn: other builds go first");
  const build = response.headers.get("location")?.split("/").at(-1) ?? null;
  const others = process.listeners("SIGINT");
  process.removeAllListeners("SIGINT").once("SIGINT", () => void cancel(client, build));
  try {
    for await (const line of linesOf(client.chunks(response))) {
      clearTimeout(waiting);
      const record = JSON.parse(line) as BuildRecord;
      if (record.step === "result") return record;
      onRecord(record);
    }
  } catch (error) {
    if (!(error instanceof CliError) || !build) throw error;
  } finally {
    clearTimeout(waiting);
    process.removeAllListeners("SIGINT");
    for (const listener of others) process.once("SIGINT", listener);
  }
  if (!build) throw new CliError("the log broke off before its end", { exit: EXIT.retry, hint: "deploy again" });
  note("  the log broke off; the build goes on, waiting for its end");
  return endOf(client, build);
}

/** Ctrl-C: the build is told, within a moment; a second one goes at once. */
async function cancel(client: Client, build: string | null): Promise<never> {
  process.once("SIGINT", () => process.exit(130));
  const told = build !== null && (await Promise.race([cancelled(client, build), sleep(CANCELLED_MS, false)]));
  if (build !== null) note(told ? "\nthe build was cancelled" : `\nthe build may go on: mayfly inspect ${build}`);
  process.exit(130);
}

const cancelled = (client: Client, build: string): Promise<boolean> =>
  client.ok(`/v1/builds/${build}`, { method: "DELETE" }).then(
    () => true,
    () => false,
  );

interface BuildView {
  /** Null: of an image. */
  readonly function: string | null;
  readonly image?: string | null;
  readonly tags?: readonly string[];
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
  const base = {
    ts: new Date().toISOString(),
    seq: 0,
    step: "result",
    build,
    ...(view.function !== null && { function: view.function }),
  };
  if (view.status === "done" && view.function === null) {
    const made = { image: view.image!, tags: [...(view.tags ?? [])] };
    return { ...base, status: "done", ...made } as Deployed;
  }
  if (view.status === "done")
    return { ...base, status: "done", version: view.version!, url: `${server}/fn/${view.function}` };
  const error = view.error ?? { code: "conflict", message: `build ${build} was canceled` };
  return { ...base, status: "error", error };
}
