import { readFile } from "node:fs/promises";
import { type Digest, Fault } from "@mayfly/contract";
import { ImageError, parseReference, type Reference } from "@mayfly/image";
import type { GatewayDeps } from "../deps.ts";
import { isPublished } from "../registry/published.ts";
import { isTag } from "../registry/target.ts";
import { notYet } from "./source-kind.ts";
import type { Upload } from "./upload.ts";

/** Longer than any reference is. */
const LARGEST_BYTES = 16 * 1024;

/**
 * Reads `{"image": "repo:tag"}` and finds what it names in the registry now: a tag that moves later changes nothing of this deploy.
 * @param host as the client called us: `localhost:8080/app:1` is `app:1` here @throws Fault
 */
export async function referencedImage(
  upload: Upload,
  host: string | undefined,
  deps: Pick<GatewayDeps, "registry" | "published">,
): Promise<Digest> {
  const { repository, reference } = local(imageOf(await textOf(upload)), host);
  if (isPublished(repository) && isTag(reference)) await deps.published.refresh(repository, reference);
  const found = await deps.registry.index.manifest(repository, reference);
  if (found) return found.digest;
  throw new Fault("unknown_image", {
    detail: `the registry has no image ${repository}${reference.includes(":") ? "@" : ":"}${reference}`,
    hint: `push it first: skopeo copy docker://… docker://${host ?? "host:port"}/${repository}`,
  });
}

const textOf = async ({ path, size_bytes }: Upload): Promise<string> =>
  size_bytes > LARGEST_BYTES ? "" : readFile(path, "utf8");

function imageOf(text: string): string {
  const value = parsed(text);
  if (value === null) throw new Fault("bad_request", { detail: "the body is no small JSON object", hint: HINT });
  const { image, ...others } = value;
  const [other] = Object.keys(others);
  if (other === "git" || other === "url") throw notYet("a reference to a repository or a URL");
  if (other !== undefined) throw new Fault("bad_request", { detail: `the body has a member ${other}`, hint: HINT });
  if (typeof image === "string") return image;
  throw new Fault("bad_request", { detail: "the body has no member image that is a text", hint: HINT });
}

const HINT = 'send {"image": "repository:tag"}';

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function local(image: string, host: string | undefined): { repository: string; reference: string } {
  const { name, tag, digest } = readReference(image);
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const hosted = first === "localhost" || /[.:A-Z]/.test(first);
  if (hosted && first !== host) {
    throw new Fault("unknown_image", {
      detail: `${image} is at the registry ${first}, and images are deployed from this one`,
      hint: `skopeo copy docker://${image} docker://${host ?? "host:port"}/${name.slice(slash + 1)}`,
    });
  }
  return { repository: hosted ? name.slice(slash + 1) : name, reference: digest ?? tag };
}

function readReference(image: string): Reference {
  try {
    return parseReference(image);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new Fault("bad_request", { detail: error.message, hint: HINT });
  }
}
