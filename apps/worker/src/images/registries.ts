import type { ImageProgress, ImageTask, TaggedImage } from "@mayfly/contract";
import {
  type CourierPrograms,
  formatRemote,
  ImageError,
  type ImageStore,
  type Importer,
  type Platform,
  parseReference,
  parseRemoteReference,
  type RegistryClient,
  registryClient,
} from "@mayfly/image";
import { found } from "./names.ts";

type Task<V extends ImageTask["verb"]> = Extract<ImageTask, { verb: V }>;

export interface Moving {
  readonly store: ImageStore;
  readonly importer: Importer;
  readonly courier: CourierPrograms;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImageProgress) => void;
}

export async function pull(task: Task<"pull">, { signal, onProgress, ...parts }: Moving): Promise<TaggedImage> {
  const remote = parseRemoteReference(task.reference);
  const { image } = await clientFor(task.reference, task, parts).pull(task.reference, {
    ...{ signal, onProgress },
    ...(task.platform !== null && { platform: platformOf(task.platform) }),
  });
  return { reference: formatRemote(remote), digest: image };
}

/** What a name stands for: an image that is here by it, else what its registry has, for anybody. Nothing is fetched but that. */
export async function resolve({ reference }: Task<"resolve">, { signal, ...parts }: Moving): Promise<TaggedImage> {
  const here = await found(reference, parts.store).catch((error: unknown) => {
    if (error instanceof ImageError && error.reason === "missing") return null;
    throw error;
  });
  const digest = here ?? (await clientFor(reference, ANYBODY, parts).resolve(reference, { signal }));
  return { reference, digest };
}

export async function push(task: Task<"push">, { signal, onProgress, ...parts }: Moving): Promise<TaggedImage> {
  const to = task.to ?? task.reference;
  if (task.to === null && parseReference(task.reference).host === null) {
    throw new ImageError(
      "refused",
      `${task.reference} names no registry; say where to push it: registry.example/name:tag`,
    );
  }
  const digest = await found(task.reference, parts.store);
  await clientFor(to, task, parts).push(digest, to, { signal, onProgress });
  return { reference: formatRemote(parseRemoteReference(to)), digest };
}

const ANYBODY = { credential: null, insecure: false };

/** A client of its own for each task, since each may have another credential; what they fetch they fetch together. */
function clientFor(
  reference: string,
  { credential, insecure }: Pick<Task<"pull">, "credential" | "insecure">,
  { store, importer, courier }: Pick<Moving, "store" | "importer" | "courier">,
): RegistryClient {
  const { host } = parseRemoteReference(reference);
  return registryClient({
    ...{ store, importer, courier, insecure: insecure ? [host] : [] },
    credential: (asked) => (asked === host ? credential : null),
  });
}

function platformOf(text: string): Platform | "all" {
  if (text === "all") return text;
  const [os, architecture, variant] = text.split("/") as [string, string, string?];
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
