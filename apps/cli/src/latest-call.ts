import type { Client } from "./client.ts";
import { CliError, EXIT } from "./failure.ts";
import { named } from "./named.ts";

/** The id of a call: as it was given, or that of the latest call of the function that was named. */
export async function callOf(client: Client, what: string): Promise<string> {
  if (what.startsWith("inv_")) return what;
  const name = encodeURIComponent(what);
  await named(client, what, () => client.ok(`/v1/functions/${name}`));
  const { invocations } = await client.json<{ invocations: { id: string }[] }>(
    `/v1/invocations?function=${name}&limit=1`,
  );
  if (invocations[0]) return invocations[0].id;
  throw new CliError(`${what} has not been called yet`, { exit: EXIT.failed, hint: `mayfly invoke ${what}` });
}
