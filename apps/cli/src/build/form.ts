import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { CliError, EXIT } from "../failure.ts";

/** A source and secrets beside it as multipart/form-data, while the source comes (RFC 7578). */
export function formOf(
  source: { readonly body: Readable; readonly type: string },
  secrets: ReadonlyMap<string, Buffer>,
): { readonly body: Readable; readonly type: string } {
  const boundary = `mayfly-${randomBytes(16).toString("hex")}`;
  const head = (name: string, type: string) =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${name}"\r\ncontent-type: ${type}\r\n\r\n`;
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (const [id, value] of secrets) {
      yield Buffer.from(head(`secret.${id}`, "application/octet-stream"));
      yield value;
      yield Buffer.from("\r\n");
    }
    yield Buffer.from(head("source", source.type));
    yield* source.body;
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }
  return { body: Readable.from(parts(), { objectMode: false }), type: `multipart/form-data; boundary=${boundary}` };
}

/** `id=ID[,src=FILE|,env=NAME]`, as `docker build --secret` has it. @throws CliError */
export function secretsOf(
  texts: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Map<string, Buffer> {
  const secrets = new Map<string, Buffer>();
  for (const text of texts) {
    const fields = new Map(text.split(",").map((part) => part.split(/=(.*)/s, 2) as [string, string]));
    const id = fields.get("id");
    const unknown = [...fields.keys()].find((name) => !["id", "src", "source", "env", "type"].includes(name));
    if (!id || unknown !== undefined) throw wrong(text, "write it like id=npm,src=.npmrc or id=token,env=TOKEN");
    const file = fields.get("src") ?? fields.get("source");
    secrets.set(id, file === undefined ? fromEnv(fields.get("env") ?? id, text, env) : fromFile(file, text));
  }
  return secrets;
}

function fromEnv(name: string, text: string, env: Readonly<Record<string, string | undefined>>): Buffer {
  const value = env[name];
  if (value === undefined) throw wrong(text, `there is no variable ${name}; name a file with src=`);
  return Buffer.from(value);
}

function fromFile(file: string, text: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw wrong(text, (error as Error).message);
  }
}

const wrong = (text: string, why: string) => new CliError(`--secret ${text}: ${why}`, { exit: EXIT.usage });
