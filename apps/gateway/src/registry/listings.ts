import type { RegistryManifest } from "@mayfly/catalog";
import type { Digest } from "@mayfly/contract";
import { RegistryFault } from "./fault.ts";
import { OCI_INDEX } from "./pushed-manifest.ts";
import type { RegistryRequest } from "./request.ts";

/** As many as one answer holds; what is left follows behind its `Link`. */
const PAGE = 1_000;
const PAGE_BYTES = 1024 * 1024;

/** `GET /v2/<name>/tags/list?n=&last=`. */
export async function tagsRoute({ store, url }: RegistryRequest, repository: string): Promise<Response> {
  if (!(await store.index.hasRepository(repository))) {
    throw new RegistryFault("NAME_UNKNOWN", `there is no repository ${repository}`);
  }
  const { page, headers } = await paged(url, (last, limit) => store.index.tags(repository, { last, limit }));
  return Response.json({ name: repository, tags: page }, { headers });
}

/** `GET /v2/_catalog?n=&last=`, which Docker's registry has and the spec leaves open. */
export async function catalogRoute({ store, url }: RegistryRequest): Promise<Response> {
  const { page, headers } = await paged(url, (last, limit) => store.index.repositories({ last, limit }));
  return Response.json({ repositories: page }, { headers });
}

async function paged(url: URL, list: (last: string | undefined, limit: number) => Promise<string[]>) {
  const asked = url.searchParams.get("n");
  const n = asked === null ? PAGE : Number(asked);
  if (!Number.isInteger(n) || n < 0) {
    throw new RegistryFault("UNSUPPORTED", `n=${asked} is no number of entries`, { status: 400 });
  }
  const limit = Math.min(n, PAGE);
  if (limit === 0) return { page: [], headers: {} };
  const found = await list(url.searchParams.get("last") ?? undefined, limit + 1);
  const page = found.slice(0, limit);
  return { page, headers: found.length > limit ? linkTo(url, { n: String(limit), last: page.at(-1)! }) : {} };
}

/** `GET /v2/<name>/referrers/<digest>?artifactType=`: an index of the manifests that are about this one; empty when there are none. */
export async function referrersRoute(
  { store, url }: RegistryRequest,
  repository: string,
  subject: Digest,
): Promise<Response> {
  const artifactType = url.searchParams.get("artifactType") ?? undefined;
  const last = url.searchParams.get("last") ?? undefined;
  const found = await store.index.referrers(repository, subject, { artifactType, last, limit: PAGE + 1 });
  const page = withinBytes(found.slice(0, PAGE).map(descriptorOf));
  const headers: Record<string, string> = {
    "content-type": OCI_INDEX,
    ...(artifactType === undefined ? {} : { "oci-filters-applied": "artifactType" }),
    ...(page.length < found.length ? linkTo(url, { last: page.at(-1)!.digest }) : {}),
  };
  return new Response(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: page }), { headers });
}

const descriptorOf = ({ media_type, digest, size_bytes, artifact_type, annotations }: RegistryManifest) => ({
  mediaType: media_type,
  digest,
  size: size_bytes,
  ...(artifact_type === null ? {} : { artifactType: artifact_type }),
  ...(annotations === null ? {} : { annotations }),
});

/** Annotations can be as long as a manifest: at least one entry, and no more than fit. */
function withinBytes<T>(entries: readonly T[]): T[] {
  const page: T[] = [];
  let size = 0;
  for (const entry of entries) {
    size += Buffer.byteLength(JSON.stringify(entry));
    if (page.length > 0 && size > PAGE_BYTES) break;
    page.push(entry);
  }
  return page;
}

function linkTo(url: URL, parameters: Readonly<Record<string, string>>): { link: string } {
  const next = new URL(url);
  for (const [name, value] of Object.entries(parameters)) next.searchParams.set(name, value);
  return { link: `<${next.pathname}${next.search}>; rel="next"` };
}
