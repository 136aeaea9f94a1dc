import type { BoxChange, RootFs } from "@mayfly/contract";
import { lookUp } from "../snapshot/look-up.ts";
import type { LayerTree } from "../tree/layer-tree.ts";
import { diffEntries, type WritableLayer } from "./diff.ts";
import type { LayerLimits } from "./limits.ts";

/** What a box changed, in layer order, as `docker diff` tells it. */
export async function* changesOf(
  writable: WritableLayer,
  rootfs: RootFs,
  parts: { readonly tree: LayerTree; readonly limits: LayerLimits },
): AsyncGenerator<BoxChange> {
  for await (const { type, path } of diffEntries(writable, rootfs.lower, parts.tree, parts.limits)) {
    if (type === "opaque") continue;
    const was = path === "" || (await lookUp(rootfs, path)) !== null;
    yield { kind: type === "whiteout" ? "deleted" : was ? "changed" : "added", path: `/${path}` };
  }
}
