import type { BoxView } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { json, out, table } from "../../output.ts";
import { shortId } from "./path.ts";

const LONGEST_COMMAND = 30;

export async function ps(client: Client, flags: { readonly all?: boolean; readonly json?: boolean }): Promise<void> {
  const { boxes } = await client.json<{ boxes: BoxView[] }>(`/v1/boxes${flags.all ? "?all" : ""}`);
  if (flags.json) return json(boxes);
  const rows = boxes
    .toReversed()
    .map((box) => [
      shortId(box.id),
      box.reference,
      commandOf(box),
      box.created_at.slice(0, 19),
      statusOf(box),
      box.name ?? "-",
    ]);
  out(table(["BOX", "IMAGE", "COMMAND", "CREATED", "STATUS", "NAME"], rows));
}

/** On one line; what somebody wrote into an image does not steer the terminal. */
function commandOf({ args }: BoxView): string {
  const text = args.join(" ").replace(/[\p{Cc}\p{Cf}\s]+/gu, " ");
  return text.length > LONGEST_COMMAND ? `${text.slice(0, LONGEST_COMMAND - 1)}…` : text;
}

const statusOf = ({ status, exit_code }: BoxView): string => (exit_code === null ? status : `${status} (${exit_code})`);
