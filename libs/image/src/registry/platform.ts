import type { Document, OfferedManifest } from "./document.ts";

/** In Go's names, as images have them: `linux`, `amd64`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Of ARM: `v7`. */
  readonly variant?: string;
}

/** A platform as an index names it: what is missing is empty. */
export interface OfferedPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

/** Node's and uname's names of architectures (containerd, platforms/database.go). */
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

export const hostPlatform = (): Platform => ({ os: "linux", architecture: normalised(process.arch) });

const normalised = (architecture: string): string => GO_NAMES[architecture] ?? architecture;

/** `linux/arm/v7`. */
export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, variant].filter((part) => part !== undefined && part !== "").join("/");

/**
 * The manifest of an index that runs on a platform: the first of the best variant, and for ARM the next lower variant. What is for
 * `unknown/unknown` is no image (BuildKit's attestations). Null: there is none.
 */
export function chooseManifest(index: Extract<Document, { kind: "index" }>, wanted: Platform): OfferedManifest | null {
  const architecture = normalised(wanted.architecture);
  const variants = variantsFor(architecture, wanted.variant);
  const fitting = index.manifests.filter(
    ({ platform }) => platform?.os === wanted.os && normalised(platform.architecture) === architecture,
  );
  for (const variant of variants) {
    const found = fitting.find(({ platform }) => variantOf(architecture, platform!.variant) === variant);
    if (found) return found;
  }
  // What names no platform may be the image itself, or a further index.
  return index.manifests.find(({ platform }) => platform === null) ?? null;
}

/** Every platform that is offered, for the message that none fits. */
export const offeredPlatforms = (index: Extract<Document, { kind: "index" }>): string[] =>
  index.manifests.flatMap(({ platform }) => (platform && platform.os !== "unknown" ? [formatPlatform(platform)] : []));

/** ARM without a variant is v7, ARM64 is v8, amd64's v1 is written as nothing (containerd, platforms/database.go). */
function variantOf(architecture: string, variant: string): string {
  if (architecture === "arm") return variant === "" ? "v7" : variant;
  if (architecture === "arm64") return variant === "" ? "v8" : variant;
  return architecture === "amd64" && variant === "v1" ? "" : variant;
}

/** From the wanted variant downwards: a newer ARM runs what was made for an older one. An amd64 of a higher level does not run everywhere. */
function variantsFor(architecture: string, variant = ""): string[] {
  const first = variantOf(architecture, variant);
  const number = /^v(\d+)$/.exec(first)?.[1];
  if (number === undefined) return [first];
  const lowest = { arm: 5, arm64: 8 }[architecture] ?? 2;
  const lower = Array.from({ length: Math.max(0, Number(number) - lowest) }, (_, at) => `v${Number(number) - 1 - at}`);
  return architecture === "amd64" ? [first, ...lower, ""] : [first, ...lower];
}
