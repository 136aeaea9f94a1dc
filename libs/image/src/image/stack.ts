import type { Image } from "../oci.ts";
import type { StackedLayer } from "../snapshot/unpack-layer.ts";

/** The layers of an image as they lie on each other, bottom first. */
export const stackOf = ({ manifest, config }: Image): StackedLayer[] =>
  manifest.layers.map((layer, at) => ({ digest: layer.digest, diff_id: config.rootfs.diff_ids[at]! }));
