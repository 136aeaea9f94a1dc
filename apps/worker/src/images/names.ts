import type { Digest, ImageStep, ImageSummary, ImageView, TaggedImage } from "@mayfly/contract";
import {
  formatRemote,
  formatTag,
  ImageError,
  type ImageStore,
  parseReference,
  parseRemoteReference,
} from "@mayfly/image";
import type { WorkerDeps } from "../deps.ts";
import { asDocker, placesOf } from "./places.ts";

/** What names are looked up in. */
export type Named = Pick<WorkerDeps, "store" | "registries">;

/** Images that Mayfly makes: what its own boxes run, and functions. What comes over a channel moves no tag of them: the gateway faces the network. */
const OURS = /^mayfly\/(?:node|builder|function\/.*)$/;

/** `name:tag`, when it may be moved. @throws ImageError `refused` */
export function movable(reference: string): string {
  const parsed = parseReference(reference);
  const tag = formatTag(parsed);
  if (OURS.test(parsed.repository)) {
    throw new ImageError("refused", `${tag}: ${parsed.repository} is an image that Mayfly makes; choose another name`);
  }
  return tag;
}

/** `name:tag` as it is here: what was pulled has its whole name, and is meant by the short one when nothing else is. */
export async function known(reference: string, { store, registries }: Named): Promise<string> {
  const tag = formatTag(parseReference(reference));
  const tags = await store.tags();
  if (tags.has(tag)) return tag;
  return (
    placesOf(reference, asDocker(registries))
      .map(wholeTag)
      .find((whole) => tags.has(whole)) ?? tag
  );
}

const wholeTag = (place: string): string =>
  formatTag(parseReference(formatRemote({ ...parseRemoteReference(place), digest: null })));

const SHORT_ID = /^(?:sha256:)?([0-9a-f]{6,64})$/;

/** What a tag, a `name@digest`, a digest or the beginning of one stands for. @throws ImageError `missing` */
export async function found(reference: string, named: Named): Promise<Digest> {
  const { store } = named;
  const isId = SHORT_ID.test(reference);
  const byName = await store.resolve(reference).catch((error: Error) => {
    if (!isId) throw error;
    return null;
  });
  const digest = byName ?? (await (isId ? byShortId(reference, store) : byWholeName(reference, named)));
  if (digest !== null) return digest;
  throw new ImageError("missing", `there is no image ${reference}; mayfly image ls shows those that are here`);
}

/** A digest that was named is not here, then: no tag stands for it. */
async function byWholeName(reference: string, named: Named): Promise<Digest | null> {
  return parseReference(reference).digest === null ? named.store.resolve(await known(reference, named)) : null;
}

async function byShortId(reference: string, store: ImageStore): Promise<Digest | null> {
  const hex = SHORT_ID.exec(reference)?.[1];
  if (hex === undefined) return null;
  const fitting = new Set([...(await store.tags()).values()].filter((digest) => digest.startsWith(`sha256:${hex}`)));
  if (fitting.size > 1)
    throw new ImageError("refused", `${reference} is the beginning of ${fitting.size} images' digests`);
  return [...fitting][0] ?? null;
}

export async function list(store: ImageStore): Promise<{ images: ImageSummary[] }> {
  const images = [...(await store.images())];
  return { images: images.sort((a, b) => (a.tags[0]! < b.tags[0]! ? -1 : 1)) };
}

export async function inspect(reference: string, named: Named): Promise<ImageView> {
  const { store } = named;
  const digest = await found(reference, named);
  const { manifest, config } = await store.image(digest);
  const tags = [...(await store.tags())].flatMap(([tag, tagged]) => (tagged === digest ? [tag] : []));
  return {
    ...{ digest, tags, created: config.created, author: config.author ?? null },
    ...{ os: config.os, architecture: config.architecture, variant: config.variant ?? null },
    size_bytes: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    layers: manifest.layers.map((layer, at) => ({
      digest: layer.digest,
      diff_id: config.rootfs.diff_ids[at]!,
      size_bytes: layer.size,
    })),
    config: config.config,
  };
}

export async function history(reference: string, named: Named): Promise<{ history: ImageStep[] }> {
  const steps = await named.store.history(await found(reference, named));
  return {
    history: steps.map(({ created, created_by, comment, author, layer }) => ({
      ...{ created: created ?? null, created_by: created_by ?? "", comment: comment ?? "", author: author ?? null },
      layer: layer && { digest: layer.digest, size_bytes: layer.size_bytes },
    })),
  };
}

export async function tag(reference: string, image: string, named: Named): Promise<TaggedImage> {
  const name = movable(reference);
  const digest = await found(image, named);
  await named.store.tag(name, digest);
  return { reference: name, digest };
}

export async function untag(reference: string, named: Named): Promise<TaggedImage> {
  const name = movable(await known(reference, named));
  const digest = await found(name, named);
  await named.store.untag(name);
  return { reference: name, digest };
}

export async function rollback(reference: string, to: Digest | null, named: Named): Promise<TaggedImage> {
  const name = movable(await known(reference, named));
  return { reference: name, digest: await named.store.rollback(name, ...(to === null ? [] : [to])) };
}
