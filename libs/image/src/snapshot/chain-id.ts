import type { Digest } from "@mayfly/contract";
import { sha256 } from "../digest.ts";

/**
 * Names of layer stacks, bottom first: the chainID of the first layer is its diff_id, each further one is the SHA-256 of
 * `<chainID below> <diff_id>` (OCI image spec, config.md, "Layer ChainID"). Equal stacks have equal names, so they are unpacked once.
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : sha256(Buffer.from(`${below} ${diffId}`)));
  }
  return chain;
}
