import type { BoxEnd, BoxView } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { json, note, out } from "../../output.ts";
import { follow } from "../image/follow.ts";
import { withJson } from "../image/path.ts";
import { attach } from "./attach.ts";
import { boxPath } from "./path.ts";

/** `start`, `stop`, `kill`, `pause`, `unpause`, of one after the other; their names on stdout, as Docker has it. */
export async function order(
  client: Client,
  verb: string,
  boxes: readonly string[],
  body: Record<string, unknown>,
  flags: { readonly json?: boolean },
): Promise<void> {
  const views: BoxView[] = [];
  for (const box of boxes) {
    views.push(await follow<BoxView>(client, `${boxPath(box)}/${verb}`, withJson("POST", body), flags));
    if (!flags.json) out(box);
  }
  if (flags.json) json(views);
}

export async function start(
  client: Client,
  boxes: readonly string[],
  flags: { readonly attach?: boolean; readonly interactive?: boolean; readonly json?: boolean },
): Promise<void> {
  if (!flags.attach && !flags.interactive) return order(client, "start", boxes, {}, flags);
  const [box] = boxes as readonly [string, ...string[]];
  const { terminal } = await client.json<BoxView>(boxPath(box));
  const { exit_code } = await attach(client, box, { start: true, stdin: flags.interactive === true, terminal });
  process.exitCode = exit_code;
}

/** Exit statuses, one a line. */
export async function wait(
  client: Client,
  boxes: readonly string[],
  flags: { readonly json?: boolean },
): Promise<void> {
  for (const box of boxes) {
    const end = await follow<BoxEnd>(client, `${boxPath(box)}/wait`, withJson("POST", {}), flags);
    if (flags.json) json(end);
    else out(String(end.exit_code));
  }
}

export async function remove(client: Client, box: string, flags: { readonly force?: boolean }): Promise<void> {
  await client.ok(`${boxPath(box)}${flags.force ? "?force" : ""}`, { method: "DELETE" });
  note(`${box} is removed, with what it wrote`);
}
