import { describe, expect, it } from "vitest";
import { sha256 } from "../digest.ts";
import { ImageError } from "../error.ts";
import { parseDocument } from "./document.ts";

const OCI = "application/vnd.oci.image.manifest.v1+json";
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const blob = { mediaType: "x", digest: sha256(Buffer.from("a")), size: 1 };
const manifest = { schemaVersion: 2, mediaType: OCI, config: blob, layers: [blob, blob] };

const parse = (value: unknown, called: string | null = null) =>
  parseDocument(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)), called, "m");
const reason = (value: unknown, called: string | null = null): string => {
  try {
    parse(value, called);
    return "none";
  } catch (error) {
    return error instanceof ImageError ? error.reason : String(error);
  }
};

describe("a manifest", () => {
  it("says itself what it is, or is what the registry calls it, or what its members look like", () => {
    const { mediaType: _, ...silent } = manifest;
    expect(parse(manifest)).toMatchObject({ kind: "manifest", media_type: OCI, config: blob, layers: [blob, blob] });
    expect(parse({ ...manifest, mediaType: DOCKER }, DOCKER).media_type).toBe(DOCKER);
    expect(parse(silent, `${DOCKER}; charset=utf-8`).media_type).toBe(DOCKER);
    expect(parse(silent, "text/plain").media_type).toBe(OCI);
    expect(parse({ schemaVersion: 2, manifests: [] }).kind).toBe("index");
  });

  it.each<[string, unknown, string]>([
    ["no JSON", "{", "corrupt"],
    ["a list", [], "corrupt"],
    ["bytes that are no UTF-8", "\u{d800}", "corrupt"],
    ["Docker's first format", { schemaVersion: 1, fsLayers: [] }, "unsupported"],
    ["something else", { ...manifest, mediaType: "application/json" }, "unsupported"],
    ["no config", { ...manifest, config: undefined }, "unsupported"],
    ["layers that are no list", { ...manifest, layers: {} }, "corrupt"],
    ["a digest that names a file", { ...manifest, layers: [{ ...blob, digest: "sha256:../../etc" }] }, "unsupported"],
    [
      "another kind of digest",
      { ...manifest, config: { ...blob, digest: `sha512:${"0".repeat(128)}` } },
      "unsupported",
    ],
    ["a negative size", { ...manifest, layers: [{ ...blob, size: -1 }] }, "corrupt"],
    ["a size that is a text", { ...manifest, layers: [{ ...blob, size: "1" }] }, "corrupt"],
  ])("that is %s is refused", (_, value, expected) => {
    expect(reason(value)).toBe(expected);
  });

  it("that is called something else than it says is refused", () => {
    expect(reason(manifest, DOCKER)).toBe("corrupt");
  });
});
