import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { ImageError } from "../error.ts";
import { readDocument } from "./document.ts";

/**
 * Sees that what a tag is about to point at is here, and marks all of it as used: config and layers of a manifest; of an index,
 * the manifests that are here, and at least one. @throws ImageError `missing`, `corrupt`, `unsupported`
 */
export async function requireWhole(digest: Digest, blobs: BlobStore): Promise<void> {
  if (!(await blobs.has(digest))) throw new ImageError("missing", `the manifest ${digest} is not in the store`);
  const document = await readDocument(digest, blobs);
  if (document.kind === "manifest") {
    for (const part of [document.manifest.config, ...document.manifest.layers]) {
      if (!(await blobs.has(part.digest))) throw new ImageError("missing", `${digest} lacks its part ${part.digest}`);
    }
    return;
  }
  let here = 0;
  for (const manifest of document.index.manifests) {
    if (!(await blobs.has(manifest.digest))) continue;
    await requireWhole(manifest.digest, blobs);
    here += 1;
  }
  if (here === 0 && document.index.manifests.length > 0) {
    throw new ImageError("missing", `none of the ${document.index.manifests.length} manifests of ${digest} is here`);
  }
}
