import type { Client } from "./client.ts";
import { CliError, EXIT } from "./failure.ts";
import { nearest } from "./nearest.ts";
import { listed } from "./pages.ts";

/** A function's name that is not there is answered with the names that are nearest to it. */
export async function named<T>(client: Client, name: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CliError) || error.problem?.code !== "not_found") throw error;
    throw new CliError(error.message, { exit: EXIT.failed, hint: await hint(client, name), problem: error.problem });
  }
}

async function hint(client: Client, name: string): Promise<string> {
  const names = (await Array.fromAsync(listed<{ function: string }>(client, "/v1/functions", "functions"))).map(
    (listed) => listed.function,
  );
  if (names.includes(name)) return `mayfly versions ${name} shows what there is of it`;
  const near = nearest(name, names);
  return near.length > 0 ? `did you mean ${near.join(", ")}?` : "mayfly ls shows what there is";
}
