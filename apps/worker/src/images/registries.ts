import type { ImageProgress, ImageTask, TaggedImage } from "@mayfly/contract";
import {
  type CourierPrograms,
  formatRemote,
  ImageError,
  type ImageStore,
  type Importer,
  type Platform,
  parsePlatform,
  parseReference,
  parseRemoteReference,
  RETRY,
  type RegistryClient,
  registryClient,
} from "@mayfly/image";
import { found, known } from "./names.ts";
import { asDocker, asSaid, firstOf, placesOf } from "./places.ts";

type Task<V extends ImageTask["verb"]> = Extract<ImageTask, { verb: V }>;

export interface Moving {
  readonly store: ImageStore;
  readonly importer: Importer;
  readonly courier: CourierPrograms;
  readonly registries: readonly string[] | null;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImageProgress) => void;
}

/** @returns its whole name: where it came from */
export async function pull(task: Task<"pull">, { signal, onProgress, ...parts }: Moving): Promise<TaggedImage> {
  const place = await placeToPull(task, { signal, ...parts });
  const { image } = await clientFor(place, task, parts).pull(place, {
    ...{ signal, onProgress },
    ...(task.platform !== null && { platform: platformOf(task.platform) }),
  });
  return { reference: formatRemote(parseRemoteReference(place)), digest: image };
}

async function placeToPull(task: Task<"pull">, parts: Asking): Promise<string> {
  const { reference, credential, insecure } = task;
  const places = placesOf(reference, asDocker(parts.registries));
  if (places.length === 1) return places[0]!;
  if (places.length > 1 && (credential !== null || insecure)) {
    const like = formatRemote(parseRemoteReference(places[0]!));
    const what = credential === null ? "plain HTTP" : "a credential";
    throw new ImageError(
      "refused",
      `${reference} may be at several registries, and ${what} is for one: name it, ${like}`,
    );
  }
  return (await offered(reference, places, parts)).reference;
}

/**
 * What a name stands for: an image that is here by it, else what its registry has, for anybody. Nothing is fetched but that.
 * @returns its whole name, which may be looked for again
 */
export async function resolve({ reference }: Task<"resolve">, parts: Asking): Promise<TaggedImage> {
  const here = await found(reference, parts).catch((error: unknown) => {
    if (error instanceof ImageError && error.reason === "missing") return null;
    throw error;
  });
  if (here !== null) return { reference: await known(reference, parts), digest: here };
  return offered(reference, placesOf(reference, asSaid(parts.registries)), parts);
}

type Asking = Omit<Moving, "onProgress">;

/** One registry of several that says nothing must not keep the next one from being asked. */
const ONE_OF_SEVERAL = { ...RETRY, attempts: 2 };

/** The first place that has it, for anybody. */
const offered = (reference: string, places: readonly string[], { signal, ...parts }: Asking): Promise<TaggedImage> =>
  firstOf(reference, places, async (place) => {
    const client = clientFor(place, ANYBODY, parts, places.length > 1 ? ONE_OF_SEVERAL : RETRY);
    const digest = await client.resolve(place, { signal });
    return { reference: formatRemote(parseRemoteReference(place)), digest };
  });

export async function push(task: Task<"push">, { signal, onProgress, ...parts }: Moving): Promise<TaggedImage> {
  const to = task.to ?? task.reference;
  if (task.to === null && parseReference(task.reference).host === null) {
    throw new ImageError(
      "refused",
      `${task.reference} names no registry; say where to push it: registry.example/name:tag`,
    );
  }
  const digest = await found(task.reference, parts);
  await clientFor(to, task, parts).push(digest, to, { signal, onProgress });
  return { reference: formatRemote(parseRemoteReference(to)), digest };
}

const ANYBODY = { credential: null, insecure: false };

/** A client of its own for each task, since each may have another credential; what they fetch they fetch together. */
function clientFor(
  reference: string,
  { credential, insecure }: Pick<Task<"pull">, "credential" | "insecure">,
  { store, importer, courier }: Pick<Moving, "store" | "importer" | "courier">,
  retry = RETRY,
): RegistryClient {
  const { host } = parseRemoteReference(reference);
  return registryClient({
    ...{ store, importer, courier, retry, insecure: insecure ? [host] : [] },
    credential: (asked) => (asked === host ? credential : null),
  });
}

function platformOf(text: string): Platform | "all" {
  return text === "all" ? text : parsePlatform(text);
}
