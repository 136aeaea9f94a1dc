import { lstatSync, rmSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import type { Problem } from "@mayfly/contract";
import { openContext } from "../build/context.ts";
import { formOf, secretsOf } from "../build/form.ts";
import { told } from "../build/told.ts";
import type { Client } from "../client.ts";
import { isHere } from "../connection.ts";
import { CliError, EXIT, problemError } from "../failure.ts";
import { pairOf } from "../flags/pair.ts";
import { followBuild } from "../follow-build.ts";
import { note, out, paint } from "../output.ts";
import { openProgress, progressKind } from "../progress/progress.ts";

export interface BuildFlags {
  readonly tag?: string[];
  readonly file?: string;
  readonly target?: string;
  readonly buildArg?: string[];
  readonly label?: string[];
  /** commander's reading of --no-cache. */
  readonly cache?: boolean;
  readonly secret?: string[];
  readonly progress?: string;
  readonly quiet?: boolean;
  readonly iidfile?: string;
  readonly metadataFile?: string;
  readonly pull?: boolean;
  readonly platform?: string;
  readonly network?: string;
  readonly addHost?: string[];
}

/** Builds an image of a Dockerfile and its context; the image's digest alone on stdout. */
export async function build(client: Client, where: string, flags: BuildFlags): Promise<void> {
  const kind = flags.quiet ? "quiet" : progressKind(flags.progress ?? "auto");
  const secrets = secretsOf(flags.secret ?? [], process.env);
  const query = new URLSearchParams(queryOf(flags, process.env));
  emptied("--iidfile", flags.iidfile);
  emptied("--metadata-file", flags.metadataFile);
  const context = await openContext(where, flags.file, process.stdin, isHere(client.url));
  if (context.dockerfile !== null) query.set("dockerfile", context.dockerfile);
  const { body, type } = secrets.size === 0 ? context : formOf(context, secrets);
  const progress = openProgress(kind, process.stderr);
  const response = await client.ok(`/v1/builds?${query}`, {
    method: "POST",
    headers: { "content-type": type, accept: "application/x-ndjson" },
    body: Readable.toWeb(told(body, progress.say)) as unknown as ReadableStream<Uint8Array>,
    duplex: "half",
  } as RequestInit);
  const last = await followBuild(client, response, progress.take, progress.say);
  progress.end(last);
  if (last.status === "error") {
    const { message, ...problem } = last.error!;
    throw problemError({ ...(problem as unknown as Problem), detail: message });
  }
  const { image, build: made, tags = [] } = last as typeof last & { image: string; build: string; tags?: string[] };
  written("--iidfile", flags.iidfile, image);
  written("--metadata-file", flags.metadataFile, metadataOf(image, tags, made));
  if (kind !== "quiet" && kind !== "rawjson") for (const tag of tags) note(`naming it ${paint("bold", tag)}`);
  out(image);
}

/**
 * What a build before wrote there must not be taken for this one's. Only a file goes: /dev/stdout is a link, and stays.
 * @throws CliError before anything is built
 */
function emptied(flag: string, file: string | undefined): void {
  written(flag, file, "");
  if (file !== undefined && lstatSync(file).isFile()) rmSync(file);
}

function written(flag: string, file: string | undefined, content: string): void {
  try {
    if (file !== undefined) writeFileSync(file, content);
  } catch (error) {
    throw new CliError(`${flag}: ${(error as Error).message}`, { exit: EXIT.usage });
  }
}

/** What buildx writes of it, as far as it is known here: the names are its own. */
function metadataOf(image: string, tags: readonly string[], build: string): string {
  const names = tags.length > 0 ? { "image.name": tags.join(",") } : {};
  const metadata = { "buildx.build.ref": build, "containerimage.digest": image, ...names };
  return `${JSON.stringify(metadata, null, 2)}\n`;
}

/** Given to every build that says nothing else of it (reproducible-builds.org/specs/source-date-epoch), as buildx does. */
const EPOCH = "SOURCE_DATE_EPOCH";

/** As parameters of `POST /v1/builds`. `--build-arg NAME` takes the value of the environment. @throws CliError */
export function queryOf(flags: BuildFlags, env: Readonly<Record<string, string | undefined>>): [string, string][] {
  const args = (flags.buildArg ?? []).flatMap((text): [string, string][] => {
    if (text.includes("=")) {
      const [name, value] = pairOf("--build-arg", text);
      return [[`build-arg.${name}`, value]];
    }
    const value = env[text];
    return value === undefined ? [] : [[`build-arg.${text}`, value]];
  });
  if (env[EPOCH] && !args.some(([name]) => name === `build-arg.${EPOCH}`))
    args.push([`build-arg.${EPOCH}`, env[EPOCH]]);
  const labels = (flags.label ?? []).map((text): [string, string] => {
    const [name, value] = text.includes("=") ? pairOf("--label", text) : [text, ""];
    return [`label.${name}`, value];
  });
  return [
    ...(flags.tag ?? []).map((tag): [string, string] => ["t", tag]),
    ...(flags.target === undefined ? [] : [["target", flags.target] as [string, string]]),
    ...(flags.cache === false ? [["no-cache", "true"] as [string, string]] : []),
    ...(flags.pull ? [["pull", "true"] as [string, string]] : []),
    ...(flags.platform === undefined ? [] : [["platform", flags.platform] as [string, string]]),
    ...(flags.network === undefined ? [] : [["run-network", flags.network] as [string, string]]),
    ...(flags.addHost ?? []).map((host): [string, string] => ["add-host", host]),
    ...args,
    ...labels,
  ];
}
