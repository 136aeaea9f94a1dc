import type { Digest } from "@mayfly/contract";
import { isDigest } from "../digest.ts";
import { ImageError } from "../error.ts";

/** What lies in `snapshots/<hex of the chainID>/meta.json`, beside the layer unpacked in `fs/`. */
export interface SnapshotMeta {
  /** Tells two unpackings of one chainID apart. */
  readonly cache_id: string;
  /** chainID of the layers below, null for a bottom layer. */
  readonly parent: Digest | null;
  readonly diff_id: Digest;
  readonly entries: number;
  /** Bytes in files, holes included. */
  readonly size_bytes: number;
  /** The run of the kernel (boot_id) under which it was unpacked. */
  readonly boot: string;
  /** All of it is on disk. Until then it is whole only as long as that kernel runs. */
  readonly durable: boolean;
  /** The layer's root is opaque: overlayfs does not look for that mark on a root, so the layers below are left out. */
  readonly hides_below?: true;
}

export function parseMeta(chainId: Digest, json: string): SnapshotMeta {
  try {
    const meta = JSON.parse(json) as SnapshotMeta;
    if (meta.parent !== null && !isDigest(meta.parent)) throw new Error(`its parent is ${meta.parent}`);
    if (!isDigest(meta.diff_id)) throw new Error(`its diff_id is ${meta.diff_id}`);
    return meta;
  } catch (cause) {
    throw new ImageError("corrupt", `meta.json of the snapshot ${chainId} cannot be read; remove the snapshot`, cause);
  }
}

export const formatMeta = (meta: SnapshotMeta): string => `${JSON.stringify(meta, null, 2)}\n`;
