import type { Descriptor, Platform } from "../oci.ts";

/** Others' names of architectures, Node's and uname's among them; OCI uses Go's (image-index.md, `platform`; containerd, platforms/database.go). */
const GO_NAMES: Readonly<Record<string, string>> = {
  x64: "amd64",
  x86_64: "amd64",
  "x86-64": "amd64",
  ia32: "386",
  i386: "386",
  i686: "386",
  aarch64: "arm64",
  armhf: "arm",
  armel: "arm",
  ppc64el: "ppc64le",
};
/** What an architecture without a variant means. */
const DEFAULT_VARIANT: Readonly<Record<string, string>> = { amd64: "v1", arm: "v7", arm64: "v8" };

const goName = (architecture: string): string => GO_NAMES[architecture] ?? architecture;

export const HOST_PLATFORM: Platform = { os: "linux", architecture: goName(process.arch) };

/**
 * The manifests of an index that run on a platform, the best first: the variant itself, then lower ones; equal ones stay in order.
 * Attestations (`unknown/unknown`) do not count. What names no platform, and may be the image itself or a further index, comes only
 * where nothing else fits.
 */
export function manifestsFor(manifests: readonly Descriptor[], wanted: Platform): Descriptor[] {
  const want = normal(wanted);
  const fitting = manifests.filter(({ platform }) => {
    if (!platform) return false;
    const { os, architecture, variant } = normal(platform);
    if (os !== want.os || architecture !== want.architecture) return false;
    return variant === want.variant || level(variant) <= level(want.variant);
  });
  if (fitting.length === 0) return manifests.filter(({ platform }) => !platform);
  const levelOf = ({ platform }: Descriptor) => level(normal(platform!).variant);
  return fitting.sort((a, b) => levelOf(b) - levelOf(a) || 0);
}

/** `v7` is 7; not a number for variants that have no order. */
const level = (variant: string): number => Number(/^v(\d+)$/.exec(variant)?.[1]);

function normal({ os, architecture, variant }: Platform): Required<Platform> {
  const name = goName(architecture);
  return { os, architecture: name, variant: variant || (DEFAULT_VARIANT[name] ?? "") };
}

/** Whether what is for one platform is what another asks for. */
export const isFor = (offered: Platform, wanted: Platform): boolean => {
  const [its, ours] = [normal(offered), normal(wanted)];
  return its.os === ours.os && its.architecture === ours.architecture && its.variant === ours.variant;
};

/** `os/arch[/variant]`; an architecture alone is Linux's, as containerd reads it. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/") as [string, string?, string?];
  const [os, architecture, variant] = parts.length === 1 ? ["linux", parts[0]] : parts;
  return { os, architecture: goName(architecture!), ...(variant && { variant }) };
}

export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant ? [variant] : [])].join("/");

/** Every platform that is offered, for the message that none fits. */
export const offeredPlatforms = (manifests: readonly Descriptor[]): string[] =>
  manifests.flatMap(({ platform }) => (platform && platform.os !== "unknown" ? [formatPlatform(platform)] : []));
