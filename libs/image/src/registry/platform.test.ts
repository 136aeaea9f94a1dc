import { describe, expect, it } from "vitest";
import { sha256 } from "../digest.ts";
import { type Document, parseDocument } from "./document.ts";
import { chooseManifest, formatPlatform, offeredPlatforms } from "./platform.ts";

type Index = Extract<Document, { kind: "index" }>;

/** `linux/arm/v7` and its like; "-" names no platform. */
function index(...platforms: string[]): Index {
  const manifests = platforms.map((text, at) => {
    const [os, architecture, variant] = text.split("/");
    const platform = text === "-" ? {} : { platform: { os, architecture, ...(variant ? { variant } : {}) } };
    return {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: sha256(Buffer.from(`${at}`)),
      size: at,
      ...platform,
    };
  });
  const mediaType = "application/vnd.oci.image.index.v1+json";
  return parseDocument(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })), null, "test") as Index;
}

function chosen(wanted: string, ...platforms: string[]): number | null {
  const [os, architecture, variant] = wanted.split("/") as [string, string, string?];
  return chooseManifest(index(...platforms), { os, architecture, ...(variant ? { variant } : {}) })?.size ?? null;
}

describe("of an index is chosen", () => {
  it.each<[string, string[], number | null]>([
    ["linux/amd64", ["linux/arm64", "linux/amd64", "linux/amd64"], 1],
    ["linux/amd64", ["linux/x86_64"], 0],
    ["linux/aarch64", ["linux/amd64", "linux/arm64/v8"], 1],
    ["linux/arm64", ["linux/arm/v7"], null],
    ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], 1],
    ["linux/arm", ["linux/arm/v6", "linux/arm"], 1],
    ["linux/arm/v5", ["linux/arm/v7"], null],
    ["linux/amd64", ["linux/amd64/v3", "linux/amd64/v1"], 1],
    ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2"], 1],
    ["linux/amd64", ["windows/amd64"], null],
    ["linux/amd64", ["unknown/unknown", "-"], 1],
    ["linux/amd64", [], null],
  ])("for %s of %j number %s", (wanted, platforms, expected) => {
    expect(chosen(wanted, ...platforms)).toBe(expected);
  });

  it("nothing of attestations, which are named no platform either", () => {
    const offered = index("linux/arm/v7", "unknown/unknown", "windows/amd64");
    expect(offeredPlatforms(offered)).toEqual(["linux/arm/v7", "windows/amd64"]);
    expect(formatPlatform({ os: "linux", architecture: "amd64" })).toBe("linux/amd64");
  });
});
