import type { Digest, ImageResults, ImageTask } from "@mayfly/contract";
import type { ImageStore } from "@mayfly/image";
import type { Spool } from "@mayfly/ledger";
import type { InUse } from "./in-use.ts";
import type { Roots } from "./roots.ts";

export interface Upkeep {
  readonly store: ImageStore;
  readonly inUse: InUse;
  readonly roots: Roots;
  readonly spool: Pick<Spool, "pending">;
}

/** More results than builds can ever wait for a gateway that is away. */
const MOST_RESULTS = 100_000;

/** Sweeps what nothing reaches: no tag, no version, no box that runs, no build whose result is still on its way, and nothing just being made. */
export async function gc(
  { keep, unused_s }: Extract<ImageTask, { verb: "gc" }>,
  { store, inUse, roots, spool }: Upkeep,
): Promise<ImageResults["gc"]> {
  return roots.whileSwept(() => {
    const before = Math.min(Date.now() - unused_s * 1000, inUse.makingSinceMs() ?? Number.POSITIVE_INFINITY);
    return store.gc({ keep: [...keep, ...inUse.images(), ...unshipped(spool)], before: new Date(before) });
  });
}

function unshipped(spool: Pick<Spool, "pending">): Digest[] {
  return spool.pending(MOST_RESULTS).flatMap(({ record }) => {
    if (record.kind !== "build" || record.result.outcome.status === "error") return [];
    return [record.result.outcome.image];
  });
}

/** What is removed because it is damaged may be what is remembered. */
export function fsck(
  { mend, deep }: Extract<ImageTask, { verb: "fsck" }>,
  { store, roots }: Pick<Upkeep, "store" | "roots">,
): Promise<ImageResults["fsck"]> {
  const check = () => store.fsck({ mend, deep });
  return mend ? roots.whileSwept(check) : check();
}
