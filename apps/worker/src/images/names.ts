import type { Digest, ImageStep, ImageSummary, ImageView, TaggedImage } from "@mayfly/contract";
import {
  formatRemote,
  formatTag,
  ImageError,
  type ImageStore,
  parseReference,
  parseRemoteReference,
} from "@mayfly/image";

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

/** `name:tag` as it is here: what was pulled from Docker Hub has its whole name, and is meant by the short one when nothing else is. */
export async function known(reference: string, store: ImageStore): Promise<string> {
  const tag = formatTag(parseReference(reference));
  const whole = formatTag(parseReference(formatRemote({ ...parseRemoteReference(reference), digest: null })));
  const tags = await store.tags();
  return !tags.has(tag) && tags.has(whole) ? whole : tag;
}

const SHORT_ID = /^(?:sha256:)?([0-9a-f]{6,64})$/;

/** What a tag, a `name@digest`, a digest or the beginning of one stands for. @throws ImageError `missing` */
export async function found(reference: string, store: ImageStore): Promise<Digest> {
  const isId = SHORT_ID.test(reference);
  const byName = await store.resolve(reference).catch((error: Error) => {
    if (!isId) throw error;
    return null;
  });
  const digest = byName ?? (await (isId ? byShortId(reference, store) : byHubName(reference, store)));
  if (digest !== null) return digest;
  throw new ImageError("missing", `there is no image ${reference}; mayfly image ls shows those that are here`);
}

/** A digest that was named is not here, then: no tag stands for it. */
async function byHubName(reference: string, store: ImageStore): Promise<Digest | null> {
  return parseReference(reference).digest === null ? store.resolve(await known(reference, store)) : null;
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

export async function inspect(reference: string, store: ImageStore): Promise<ImageView> {
  const digest = await found(reference, store);
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

export async function history(reference: string, store: ImageStore): Promise<{ history: ImageStep[] }> {
  const steps = await store.history(await found(reference, store));
  return {
    history: steps.map(({ created, created_by, comment, author, layer }) => ({
      ...{ created: created ?? null, created_by: created_by ?? "", comment: comment ?? "", author: author ?? null },
      layer: layer && { digest: layer.digest, size_bytes: layer.size_bytes },
    })),
  };
}

export async function tag(reference: string, image: string, store: ImageStore): Promise<TaggedImage> {
  const name = movable(reference);
  const digest = await found(image, store);
  await store.tag(name, digest);
  return { reference: name, digest };
}

export async function untag(reference: string, store: ImageStore): Promise<TaggedImage> {
  const name = movable(await known(reference, store));
  const digest = await found(name, store);
  await store.untag(name);
  return { reference: name, digest };
}

export async function rollback(reference: string, to: Digest | null, store: ImageStore): Promise<TaggedImage> {
  const name = movable(await known(reference, store));
  return { reference: name, digest: await store.rollback(name, ...(to === null ? [] : [to])) };
}
