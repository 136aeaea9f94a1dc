import { formatBytes } from "@mayfly/contract";
import type { Client } from "../client.ts";
import { CliError, EXIT } from "../failure.ts";
import { named } from "../named.ts";
import { json, note, out, table } from "../output.ts";
import { listed } from "../pages.ts";
import { remove } from "./box/lifecycle.ts";
import { boxPath } from "./box/path.ts";
import { isBox } from "./box/which.ts";

interface Listed {
  readonly function: string;
  readonly version: number | null;
  readonly contract: string | null;
  readonly url: string;
  readonly settings: { memory_bytes: number; timeout_ms: number } | null;
}
interface VersionView {
  readonly version: number;
  readonly created_at: string;
  readonly image: string;
  readonly size_bytes: number;
}

const pathOf = (name: string): string => `/v1/functions/${encodeURIComponent(name)}`;

export async function ls(client: Client, flags: { json?: boolean }): Promise<void> {
  const functions = await Array.fromAsync(listed<Listed>(client, "/v1/functions", "functions"));
  if (flags.json) return json(functions);
  if (functions.length === 0) note("no functions yet: mayfly deploy hello.ts makes the first");
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

/** NAME, NAME@VERSION, the id of an invocation or build, or a box. */
export async function inspect(client: Client, what: string): Promise<void> {
  const id = encodeURIComponent(what);
  if (what.startsWith("inv_")) return json(await client.json(`/v1/invocations/${id}`));
  if (what.startsWith("bld_")) return json(await client.json(`/v1/builds/${id}`));
  if (await isBox(client, what)) return json(await client.json(boxPath(what)));
  const [name = "", version] = what.split("@");
  const path = version
    ? `${pathOf(name)}/versions/${encodeURIComponent(version.replace(/^v(?=\d)/, ""))}`
    : pathOf(name);
  json(await named(client, name, () => client.json(path)));
}

export async function versions(client: Client, name: string, flags: { json?: boolean }): Promise<void> {
  const { versions: all } = await named(client, name, () =>
    client.json<{ versions: VersionView[] }>(`${pathOf(name)}/versions`),
  );
  if (flags.json) return json(all);
  const rows = all.map((v) => [`v${v.version}`, v.created_at, formatBytes(v.size_bytes), v.image.slice(0, 19)]);
  out(table(["VERSION", "CREATED", "SIZE", "IMAGE"], rows));
}

export async function rollback(
  client: Client,
  name: string,
  version: string | undefined,
  flags: { json?: boolean },
): Promise<void> {
  const path = `${pathOf(name)}/aliases/live`;
  if (version !== undefined && !/^v?[1-9]\d{0,8}$/.test(version))
    throw new CliError(`${version} is no version`, { exit: EXIT.usage, hint: `mayfly versions ${name}` });
  const ask = () =>
    version === undefined
      ? client.json<{ version: number }>(`${path}/rollback`, { method: "POST" })
      : client.json<{ version: number }>(path, {
          method: "PUT",
          body: JSON.stringify({ version: Number(version.replace("v", "")) }),
          headers: { "content-type": "application/json" },
        });
  const alias = await named(client, name, ask);
  note(`${name} v${alias.version} is live`);
  if (flags.json) json(alias);
}

export async function rm(
  client: Client,
  names: readonly string[],
  flags: { json?: boolean; force?: boolean },
): Promise<void> {
  for (const name of names) {
    if (await isBox(client, name)) {
      await remove(client, name, flags);
      continue;
    }
    await named(client, name, () => client.ok(pathOf(name), { method: "DELETE" }));
    note(`${name} is removed; its bills stay`);
  }
  if (flags.json) json({ removed: names });
}
