import { formatBytes } from "@mayfly/contract";
import { CliError, type Client, EXIT } from "../client.ts";
import { nearest } from "../nearest.ts";
import { json, note, out, table } from "../output.ts";

interface Listed {
  readonly function: string;
  readonly version: number | null;
  readonly contract: string | null;
  readonly url: string;
  readonly settings: { memory_bytes: number; timeout_ms: number } | null;
}

export async function ls(client: Client, flags: { json?: boolean }): Promise<void> {
  const { functions } = await client.json<{ functions: Listed[] }>("/v1/functions?limit=1000");
  if (flags.json) return json(functions);
  const rows = functions.map((f) => [
    f.function,
    f.version === null ? "-" : `v${f.version}`,
    f.contract ?? "-",
    f.settings ? formatBytes(f.settings.memory_bytes) : "-",
    f.settings ? `${f.settings.timeout_ms / 1000} s` : "-",
    `${client.url}${f.url}`,
  ]);
  out(table(["FUNCTION", "LIVE", "CONTRACT", "MEMORY", "TIMEOUT", "URL"], rows));
}

/** NAME, NAME@VERSION, or the id of an invocation or build. */
export async function inspect(client: Client, what: string): Promise<void> {
  if (what.startsWith("inv_")) return json(await client.json(`/v1/invocations/${what}`));
  if (what.startsWith("bld_")) return json(await client.json(`/v1/builds/${what}`));
  const [name, version] = what.split("@");
  json(await named(client, name!, () => client.json(`/v1/functions/${name}${version ? `/versions/${version}` : ""}`)));
}

export async function versions(client: Client, name: string, flags: { json?: boolean }): Promise<void> {
  const { versions: all } = await named(client, name, () =>
    client.json<{ versions: { version: number; created_at: string; image: string; size_bytes: number }[] }>(
      `/v1/functions/${name}/versions`,
    ),
  );
  if (flags.json) return json(all);
  out(
    table(
      ["VERSION", "CREATED", "SIZE", "IMAGE"],
      all.map((v) => [`v${v.version}`, v.created_at, formatBytes(v.size_bytes), v.image.slice(0, 19)]),
    ),
  );
}

export async function rollback(client: Client, name: string, version: string | undefined): Promise<void> {
  const path = `/v1/functions/${name}/aliases/live`;
  const number = version === undefined ? null : Number(version.replace(/^v/, ""));
  if (number !== null && !Number.isInteger(number))
    throw new CliError(`${version} is no version`, { exit: EXIT.usage });
  const init =
    number === null
      ? { method: "POST" }
      : { method: "PUT", body: JSON.stringify({ version: number }), headers: { "content-type": "application/json" } };
  const alias = await named(client, name, () =>
    client.json<{ version: number }>(number === null ? `${path}/rollback` : path, init),
  );
  note(`${name} v${alias.version} is live`);
}

export async function rm(client: Client, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await named(client, name, () => client.ok(`/v1/functions/${name}`, { method: "DELETE" }));
    note(`${name} is removed; its bills stay`);
  }
}

export async function logs(client: Client, what: string): Promise<void> {
  const id = what.startsWith("inv_") ? what : await latest(client, what);
  process.stdout.write(await (await client.ok(`/v1/invocations/${id}/log`)).text());
}

async function latest(client: Client, name: string): Promise<string> {
  await named(client, name, () => client.json(`/v1/functions/${name}`));
  const { invocations } = await client.json<{ invocations: { id: string }[] }>(
    `/v1/invocations?function=${name}&limit=1`,
  );
  if (invocations[0]) return invocations[0].id;
  throw new CliError(`${name} has not been called yet`, { exit: EXIT.failed, hint: `mayfly invoke ${name}` });
}

/** A name that is not there is answered with the names that are nearest to it. */
async function named<T>(client: Client, name: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CliError) || error.problem?.code !== "not_found") throw error;
    const { functions } = await client.json<{ functions: Listed[] }>("/v1/functions?limit=1000");
    const near = nearest(
      name,
      functions.map((f) => f.function),
    );
    throw new CliError(error.message, {
      exit: EXIT.failed,
      hint: near.length > 0 ? `did you mean ${near.join(", ")}?` : "mayfly ls shows what there is",
    });
  }
}
