import type { BoxChange, TaggedImage } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { json, note, out } from "../../output.ts";
import { writeArchive } from "../image/archives.ts";
import { follow } from "../image/follow.ts";
import { withJson } from "../image/path.ts";
import { boxPath } from "./path.ts";

/** What a box changed, as `docker diff` prints it. */
export async function diff(client: Client, box: string, flags: { readonly json?: boolean }): Promise<void> {
  const { changes } = await client.json<{ changes: BoxChange[] }>(`${boxPath(box)}/changes`);
  if (flags.json) return json(changes);
  for (const { kind, path } of changes) out(`${kind.slice(0, 1).toUpperCase()} ${path}`);
}

export interface CommitFlags {
  readonly author?: string;
  readonly message?: string;
  readonly change?: readonly string[];
  readonly pause?: string | boolean;
  readonly json?: boolean;
}

/** The new image's digest on stdout. */
export async function commit(
  client: Client,
  box: string,
  reference: string | undefined,
  flags: CommitFlags,
): Promise<void> {
  const body = {
    ...(reference !== undefined && { reference }),
    ...(flags.author !== undefined && { author: flags.author }),
    ...(flags.message !== undefined && { message: flags.message }),
    ...(flags.change !== undefined && { changes: flags.change }),
    pause: flags.pause !== false && flags.pause !== "false",
  };
  const path = `${boxPath(box)}/commit`;
  const made = await follow<Omit<TaggedImage, "reference"> & { reference: string | null }>(
    ...([client, path, withJson("POST", body), flags] as const),
  );
  if (flags.json) return json(made);
  if (made.reference !== null) note(`${made.reference} is what ${box} was, and what it wrote`);
  out(made.digest);
}

/** The root file system of a box, in one tar. */
export const exportBox = (client: Client, box: string, flags: { readonly output?: string }): Promise<void> =>
  writeArchive(client, `${boxPath(box)}/rootfs`, flags.output);
