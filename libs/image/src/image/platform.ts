import type { Descriptor, Platform } from "../oci.ts";

/** Node's names of architectures are not Go's, which OCI uses (image-index.md, `platform`). */
const GO_ARCHITECTURE: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
/** What others call them. */
const OTHER_NAMES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", armhf: "arm", i386: "386" };
const DEFAULT_VARIANT: Readonly<Record<string, string>> = { arm: "v7", arm64: "v8" };

export const HOST_PLATFORM: Platform = {
  os: "linux",
  architecture: GO_ARCHITECTURE[process.arch] ?? process.arch,
};

/**
 * The manifests of an index that run on a platform, the best first: the variant itself, then lower ones; equal ones stay in order.
 * Attestations (`unknown/unknown`) and manifests without a platform, where others have one, do not count.
 */
export function manifestsFor(manifests: readonly Descriptor[], wanted: Platform): Descriptor[] {
  const want = normal(wanted);
  const level = (platform: Platform) => Number(/^v(\d+)/.exec(normal(platform).variant)?.[1] ?? 0);
  const fitting = manifests.filter(({ platform }) => {
    if (!platform) return false;
    const { os, architecture } = normal(platform);
    return os === want.os && architecture === want.architecture && level(platform) <= level(wanted);
  });
  if (fitting.length === 0 && manifests.every(({ platform }) => !platform)) return [...manifests];
  return fitting.sort((a, b) => level(b.platform!) - level(a.platform!));
}

function normal({ os, architecture, variant }: Platform): Required<Platform> {
  const name = OTHER_NAMES[architecture] ?? architecture;
  return { os, architecture: name, variant: variant || (DEFAULT_VARIANT[name] ?? "") };
}

export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant ? [variant] : [])].join("/");
