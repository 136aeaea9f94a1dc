import { type Digest, Fault, type ImageResults } from "@mayfly/contract";
import { ImageError, parseReference, type Reference } from "@mayfly/image";
import type { GatewayDeps } from "../deps.ts";
import { isPublished } from "../registry/published.ts";
import { isTag } from "../registry/target.ts";

export interface Referenced {
  /** Of a manifest or an index. */
  readonly digest: Digest;
  /** At another registry: `registry.example/team/app`; in the workers' store: `app`; null: in our registry. */
  readonly repository: string | null;
}

/**
 * Finds what an image's name stands for now: a tag that moves later changes nothing of this deploy. What is not in our registry, a worker
 * looks for, which also fetches it: what is with the workers by that name, else what the registry has that the name or the operator says.
 * @param host as the client called us: `localhost:8080/app:1` is `app:1` here @throws Fault
 */
export async function referencedImage(
  image: string,
  host: string | undefined,
  deps: Pick<GatewayDeps, "registry" | "published" | "images">,
): Promise<Referenced> {
  const { registry, repository, reference, isOurs } = placeOf(image, host);
  if (registry !== null) return lookedFor(image, deps);
  if (isPublished(repository) && isTag(reference)) await deps.published.refresh(repository, reference);
  const found = await deps.registry.index.manifest(repository, reference);
  if (found) return { digest: found.digest, repository: null };
  const detail = `the registry has no image ${repository}${reference.includes(":") ? "@" : ":"}${reference}`;
  const hint = `push it first (skopeo copy docker://… docker://${host ?? "host:port"}/${repository}), or name another registry: docker.io/…`;
  if (isOurs || isPublished(repository)) throw new Fault("unknown_image", { detail, hint });
  return lookedFor(image, deps).catch((error: unknown) => {
    if (!(error instanceof Fault) || error.code !== "unknown_image") throw error;
    throw new Fault("unknown_image", { detail: `${detail}; with the workers: ${error.message}`, hint, cause: error });
  });
}

/** A registry that says nothing keeps nobody waiting. */
const LOOK_MS = 30_000;

async function lookedFor(reference: string, { images }: Pick<GatewayDeps, "images">): Promise<Referenced> {
  const signal = AbortSignal.timeout(LOOK_MS);
  try {
    const found = (await images.ask({ verb: "resolve", reference }, { signal })) as ImageResults["resolve"];
    return { digest: found.digest, repository: parseReference(found.reference).name };
  } catch (error) {
    if (signal.aborted) {
      const detail = `looking for ${reference}: its registry did not answer within ${LOOK_MS / 1000} s`;
      throw new Fault("registry_unavailable", { detail, cause: error });
    }
    if (!(error instanceof Fault)) throw error;
    if (error.code === "not_found") throw new Fault("unknown_image", { detail: error.message, cause: error });
    if (error.code !== "registry_denied") throw error;
    const hint = `fetch it with a credential first: mayfly image pull ${reference}; a deploy takes what is here by that name`;
    throw new Fault("registry_denied", { detail: error.message, hint, cause: error });
  }
}

const HINT = 'send {"image": "repository:tag"}';

interface Place {
  /** Null: ours. */
  readonly registry: string | null;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  /** Our own address is written before it. */
  readonly isOurs: boolean;
}

function placeOf(image: string, host: string | undefined): Place {
  const { name, tag, digest } = readReference(image);
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const hosted = first === "localhost" || /[.:A-Z]/.test(first);
  const isOurs = hosted && first === host;
  return {
    isOurs,
    registry: hosted && !isOurs ? first : null,
    repository: hosted ? name.slice(slash + 1) : name,
    reference: digest ?? tag,
  };
}

function readReference(image: string): Reference {
  try {
    return parseReference(image);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new Fault("bad_request", { detail: error.message, hint: HINT });
  }
}
