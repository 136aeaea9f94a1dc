import { formatBytes, type ImageResults, type ImageView, type TaggedImage } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { json, note, out, table } from "../../output.ts";
import { imagePath, short, withJson } from "./path.ts";

interface Flags {
  readonly json?: boolean;
}

export async function ls(client: Client, flags: Flags): Promise<void> {
  const { images } = await client.json<ImageResults["list"]>("/v1/images");
  if (flags.json) return json(images);
  if (images.length === 0) note("no images yet: mayfly image pull, load or import brings one");
  const rows = images.flatMap(({ digest, tags, created, layers, size_bytes }) =>
    tags.map((tag) => [tag, short(digest), created.slice(0, 10), String(layers), formatBytes(size_bytes)]),
  );
  out(table(["IMAGE", "DIGEST", "CREATED", "LAYERS", "SIZE"], rows));
}

export async function inspect(client: Client, reference: string): Promise<void> {
  json(await client.json<ImageView>(imagePath(reference)));
}

export async function history(client: Client, reference: string, flags: Flags): Promise<void> {
  const { history } = await client.json<ImageResults["history"]>(`${imagePath(reference)}/history`);
  if (flags.json) return json(history);
  const rows = history.map(({ created, created_by, comment, layer }) => [
    layer ? short(layer.digest) : "-",
    created?.slice(0, 19) ?? "-",
    layer ? formatBytes(layer.size_bytes) : "0 B",
    oneLine(created_by || comment || "-"),
  ]);
  out(table(["LAYER", "CREATED", "SIZE", "CREATED BY"], rows));
}

/** What others wrote into an image does not steer the terminal. */
const oneLine = (text: string): string => {
  const plain = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return plain.length > 100 ? `${plain.slice(0, 99)}…` : plain;
};

export async function log(client: Client, reference: string, flags: Flags): Promise<void> {
  const { log } = await client.json<ImageResults["log"]>(`${imagePath(reference)}/log`);
  if (flags.json) return json(log);
  out(
    table(
      ["DIGEST", "TAGGED"],
      log.map(({ digest, tagged_at }) => [digest, tagged_at ?? "-"]),
    ),
  );
}

export async function tag(client: Client, image: string, reference: string, flags: Flags): Promise<void> {
  const tagged = await client.json<TaggedImage>(imagePath(reference), withJson("PUT", { image }));
  note(`${tagged.reference} is ${tagged.digest}`);
  if (flags.json) json(tagged);
}

export async function rollback(client: Client, reference: string, to: string | undefined, flags: Flags): Promise<void> {
  const body = to === undefined ? {} : { to };
  const tagged = await client.json<TaggedImage>(`${imagePath(reference)}/rollback`, withJson("POST", body));
  note(`${tagged.reference} is ${tagged.digest} again`);
  if (flags.json) json(tagged);
}

export async function rm(client: Client, references: readonly string[], flags: Flags): Promise<void> {
  const removed: TaggedImage[] = [];
  for (const reference of references) {
    const one = await client.json<TaggedImage>(imagePath(reference), { method: "DELETE" });
    note(`${one.reference} is removed; mayfly image gc frees what nothing else needs`);
    removed.push(one);
  }
  if (flags.json) json(removed);
}
