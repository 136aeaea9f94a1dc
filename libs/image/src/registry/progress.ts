import type { Digest } from "@mayfly/contract";

/** How one blob stands while an image moves. */
export interface BlobProgress {
  readonly digest: Digest;
  readonly size_bytes: number;
  readonly done_bytes: number;
  /**
   * - `moving`: bytes have come or gone
   * - `again`: a try failed, the next one goes on from `done_bytes`
   * - `done`: all of it is there and is right
   * - `present`: it was there already; `mounted`: the registry had it in another repository
   */
  readonly state: "moving" | "again" | "done" | "present" | "mounted";
  /** Why it is tried again. */
  readonly reason?: string;
}

export type OnProgress = (progress: BlobProgress) => void;
