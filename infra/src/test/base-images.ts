import { join } from "node:path";
import { bundlePrograms } from "../prepare/bundles.ts";
import { makeImages } from "../prepare/images.ts";
import { buildNative } from "../prepare/native.ts";
import { BUILD } from "../root.ts";

/** The base images, once for all systems that tests start. What they are made of is fetched here, so the second kernel, which reaches nobody, finds it. */
export async function makeTestImages(say: (line: string) => void): Promise<string> {
  const images = join(BUILD, "cache", "test-images");
  await makeImages({ images, bundles: await bundlePrograms(say), native: await buildNative(say), say });
  return images;
}
