import type { BoxView } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { CliError, EXIT } from "../../failure.ts";
import { boxPath } from "./path.ts";

/**
 * Functions and boxes have names of their own; commands that take both must know which is meant: the one that is there.
 * @throws CliError when both are
 */
export async function isBox(client: Client, name: string): Promise<boolean> {
  if (/^(inv|bld)_/.test(name) || name.includes("@")) return false;
  if (name.startsWith("box_")) return true;
  const isFunction = await there(client, `/v1/functions/${encodeURIComponent(name)}`);
  const box = await there<BoxView>(client, boxPath(name));
  if (!isFunction || !box) return box !== null;
  if (box.name !== name) return false;
  throw new CliError(`${name} is a function and a box`, {
    exit: EXIT.usage,
    hint: `name the box by its id, ${box.id}; for the function, give the box another name first`,
  });
}

/** What is not there, and what nobody can say because no worker is there, is null. */
async function there<T>(client: Client, path: string): Promise<T | null> {
  try {
    return await client.json<T>(path);
  } catch (error) {
    const code = error instanceof CliError ? error.problem?.code : undefined;
    if (code !== "not_found" && code !== "unavailable" && code !== "bad_request" && code !== "bad_setting") throw error;
    return null;
  }
}
