import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { InvocationRecord } from "@mayfly/contract";
import { CliError, type Client, EXIT } from "../client.ts";
import { note } from "../output.ts";
import { renderBill } from "../render-bill.ts";
import { settledRecord } from "./bills.ts";

export interface InvokeFlags {
  readonly data?: string;
  readonly header?: string[];
  readonly request?: string;
  readonly path?: string;
  readonly bill?: boolean;
  readonly fail?: boolean;
}

/** Calls a function: its answer on stdout as it comes, its bill on stderr when asked. */
export async function invoke(client: Client, name: string, flags: InvokeFlags): Promise<void> {
  const headers = new Headers();
  for (const header of flags.header ?? []) {
    const at = header.indexOf(":");
    if (at < 1) throw new CliError(`--header ${header}: write it like Name: value`, { exit: EXIT.usage });
    headers.append(header.slice(0, at).trim(), header.slice(at + 1).trim());
  }
  const body = flags.data === undefined ? undefined : bodyOf(flags.data);
  const path =
    flags.path === undefined
      ? ""
      : flags.path.startsWith("/") || flags.path.startsWith("?")
        ? flags.path
        : `/${flags.path}`;
  const response = await client.fetch(`/fn/${name}${path}`, {
    method: flags.request ?? (body === undefined ? "GET" : "POST"),
    headers,
    ...(body === undefined ? {} : { body, duplex: "half" }),
  } as RequestInit);
  if (response.body)
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) process.stdout.write(chunk);
  const id = response.headers.get("mayfly-invocation");
  if (flags.bill && id)
    note(renderBill((await settledRecord(client, id)) as InvocationRecord, { color: process.stderr.isTTY === true }));
  if (!response.ok && (flags.fail || response.headers.get("content-type")?.includes("problem+json"))) {
    throw new CliError(`the call answered ${response.status}`, {
      exit: response.status === 504 ? EXIT.timeout : EXIT.failed,
      hint: id ? `mayfly logs ${id}` : undefined,
    });
  }
}

/** As curl has it: `@file`, `-` for standard input, else the text itself. */
function bodyOf(data: string): BodyInit {
  if (data === "-") return Readable.toWeb(process.stdin) as unknown as BodyInit;
  if (data.startsWith("@")) return Readable.toWeb(createReadStream(data.slice(1))) as unknown as BodyInit;
  return data;
}

type BodyInit = NonNullable<RequestInit["body"]>;
