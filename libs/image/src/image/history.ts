import type { Digest } from "@mayfly/contract";
import type { HistoryEntry, Image } from "../oci.ts";

export interface HistoryStep extends HistoryEntry {
  /** What the step added; null when it made no layer. */
  readonly layer: { readonly digest: Digest; readonly diff_id: Digest; readonly size_bytes: number } | null;
}

/**
 * How an image came to be, the latest step first. Layers that the history does not tell of, as in images that were imported or squashed,
 * are steps of their own, below all others.
 */
export function historyOf({ manifest, config }: Image): HistoryStep[] {
  const layers = manifest.layers.map(({ digest, size }, at) => ({
    digest,
    diff_id: config.rootfs.diff_ids[at]!,
    size_bytes: size,
  }));
  const told = config.history.filter(({ empty_layer }) => !empty_layer).length;
  const untold = layers.splice(0, Math.max(0, layers.length - told));
  const steps: HistoryStep[] = untold.map((layer) => ({ layer }));
  for (const step of config.history) steps.push({ ...step, layer: step.empty_layer ? null : (layers.shift() ?? null) });
  return steps.reverse();
}
