import { createReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import type { InvocationRecord } from "@mayfly/contract";
import type { Client } from "../client.ts";
import { CliError, EXIT, parseProblem, problemError } from "../failure.ts";
import { named } from "../named.ts";
import { inColor, json, note, pour } from "../output.ts";
import { renderBill } from "../render-bill.ts";
import { settledRecord } from "./bills.ts";

export interface InvokeFlags {
  readonly data?: string;
  readonly header?: string[];
  readonly request?: string;
  readonly path?: string;
  readonly bill?: boolean;
  readonly fail?: boolean;
  readonly json?: boolean;
}

/** Calls a function: its answer on stdout as it comes, its bill on stderr when asked. */
export async function invoke(client: Client, target: string, flags: InvokeFlags): Promise<void> {
  const response = await call(client, target, flags);
  const id = response.headers.get("mayfly-invocation");
  const fault = await platformFault(client, response);
  if (!fault && !flags.json) await pour(client.chunks(response));
  const body = fault || !flags.json ? null : await client.text(response);
  const record = flags.bill && id ? await settledRecord(client, id) : null;
  if (flags.json) json(asJson(response, body, record));
  else if (record) note(renderBill(record, { color: inColor(process.stderr) }));
  if (fault) {
    const hint = id ? `mayfly logs ${id}` : fault.hint;
    throw new CliError(fault.message, { exit: fault.exit, hint, problem: fault.problem });
  }
  if (flags.fail && response.status >= 400)
    throw new CliError(`the function answered ${response.status}`, {
      exit: EXIT.failed,
      hint: id ? `mayfly logs ${id}` : undefined,
    });
}

async function call(client: Client, target: string, flags: InvokeFlags): Promise<Response> {
  const name = /^([a-z0-9-]+)(?:@(?:v(?=\d))?([a-z0-9-]+))?$/.exec(target);
  if (!name)
    throw new CliError(`${JSON.stringify(target)} is no function's name`, {
      exit: EXIT.usage,
      hint: "mayfly invoke NAME, or NAME@VERSION; a path goes with --path",
    });
  const path = flags.path === undefined || /^[/?]/.test(flags.path) ? (flags.path ?? "") : `/${flags.path}`;
  const body = flags.data === undefined ? undefined : bodyOf(flags.data);
  const url = `/fn/${name[1]}${name[2] === undefined ? "" : `@${name[2]}`}${path}`;
  const init = {
    method: flags.request ?? (body === undefined ? "GET" : "POST"),
    headers: headersOf(flags.header ?? []),
    ...(body === undefined ? {} : { body, duplex: "half" }),
  } as RequestInit;
  return client.fetch(url, init).then(async (response) => {
    // Only the platform says so without an invocation: then the name is wrong.
    if (response.status !== 404 || response.headers.has("mayfly-invocation")) return response;
    return named(client, name[1]!, async () => {
      throw await client.failure(response);
    });
  });
}

/** The platform's own answer in place of the function's, as the failure that it is. A function's own 4xx and 5xx are answers. */
async function platformFault(client: Client, response: Response): Promise<CliError | null> {
  if (response.ok || !response.headers.get("content-type")?.startsWith("application/problem+json")) return null;
  const problem = parseProblem(await client.text(response.clone()));
  return problem && problemError(problem);
}

const asJson = (response: Response, body: string | null, record: InvocationRecord | null) => ({
  status: response.status,
  headers: Object.fromEntries(response.headers),
  invocation: response.headers.get("mayfly-invocation"),
  body,
  ...(record && { record }),
});

function headersOf(pairs: readonly string[]): Headers {
  const headers = new Headers();
  for (const pair of pairs) {
    const at = pair.indexOf(":");
    try {
      if (at < 1) throw new TypeError("write it like Name: value");
      headers.append(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
    } catch (error) {
      throw new CliError(`--header ${JSON.stringify(pair)}: ${(error as Error).message}`, { exit: EXIT.usage });
    }
  }
  return headers;
}

/** As curl has it: `@file`, `-` or `@-` for standard input, else the text itself. */
function bodyOf(data: string): NonNullable<RequestInit["body"]> {
  const web = (stream: Readable) => Readable.toWeb(stream) as unknown as ReadableStream;
  if (data === "-" || data === "@-") return web(process.stdin);
  if (!data.startsWith("@")) return data;
  const path = data.slice(1);
  // Not only files: a pipe of the shell's <(…) is as good.
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== false)
    throw new CliError(`there is no file ${path}`, { exit: EXIT.usage });
  return web(createReadStream(path));
}
