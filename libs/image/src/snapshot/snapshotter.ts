import type { Digest, RootFs } from "@mayfly/contract";
import type { SnapshotMeta } from "./snapshot.ts";
import type { StackedLayer } from "./unpack-layer.ts";

/**
 * Layers unpacked, each once for every stack it tops, named by chainID.
 *
 * The life of a snapshot: somebody asks for a stack → what is missing of it is unpacked, bottom first, out of sight → it is visible,
 * whole and never written again → nothing needs it any more → it is removed, out of sight first. A snapshot is derived: it can always
 * be made again from its blob. Nothing is mounted here; whoever makes a box lays the folders over each other.
 * Each backend passes the suite of conformance.ts.
 */
export interface Snapshotter {
  /**
   * Unpacks what is missing of a stack and gives its folders, topmost first. Callers that come together wait for one unpacking.
   * Marks the stack as used now. @throws ImageError; what was whole before stays, nothing else is left.
   */
  rootfs(layers: readonly StackedLayer[]): Promise<RootFs>;

  /** Resolves when what was unpacked is on disk, or could not be written: it is made again after a power cut then. */
  synced(): Promise<void>;

  /** Unpacks the topmost layer of a stack again, elsewhere, and compares all that is in it. The stack is here. */
  verify(layers: readonly StackedLayer[]): Promise<boolean>;

  has(chainId: Digest): Promise<boolean>;

  /** @throws ImageError `missing`, `corrupt` */
  meta(chainId: Digest): Promise<SnapshotMeta>;

  /** All of them in no order, with the time when they were last asked for. */
  list(): AsyncIterable<{ readonly chainId: Digest; readonly used_at: Date }>;

  /**
   * Removes a snapshot that was not used since `unusedSince` (null: whenever it was). No box may be using it.
   * @returns whether it was removed.
   */
  remove(chainId: Digest, unusedSince: Date | null): Promise<boolean>;
}
