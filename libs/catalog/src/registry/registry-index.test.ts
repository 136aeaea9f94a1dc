import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RegistryIndex, type RegistryManifest } from "./registry-index.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
const [A, B, C] = [digest("a"), digest("b"), digest("c")];
const REPOSITORY = "team/app";

describe("the registry's index", () => {
  let dir: string;
  let index: RegistryIndex;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-registry-index-"));
    index = await RegistryIndex.open(join(dir, "index.sqlite"));
  });
  afterEach(async () => {
    await index.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const manifest = (of: Digest, more: Partial<RegistryManifest> = {}): RegistryManifest => ({
    ...{ repository: REPOSITORY, digest: of, media_type: "m", size_bytes: 10 },
    ...{ subject: null, artifact_type: null, annotations: null, ...more },
  });
  const put = (of: Digest, tag: string | null = null, parts: Digest[] = [], more: Partial<RegistryManifest> = {}) =>
    index.putManifest(manifest(of, more), { parts, tag, now: 1 });

  it("knows a blob in the repositories that it was linked into", async () => {
    await index.linkBlob(REPOSITORY, A, 5, 1);
    expect(await index.blobSize(REPOSITORY, A)).toBe(5);
    expect(await index.blobSize("other", A)).toBeNull();
    await index.unlinkBlob(REPOSITORY, A);
    expect(await index.blobSize(REPOSITORY, A)).toBeNull();
  });

  it("gives a manifest by digest and by tag, and moves a tag", async () => {
    await put(A, "v1", [], { annotations: { a: "b" } });
    expect(await index.manifest(REPOSITORY, A)).toEqual(manifest(A, { annotations: { a: "b" } }));
    expect(await index.manifest(REPOSITORY, "v1")).toEqual(manifest(A, { annotations: { a: "b" } }));
    await put(B, "v1");
    expect((await index.manifest(REPOSITORY, "v1"))?.digest).toBe(B);
    expect(await index.manifest("other", "v1")).toBeNull();
    expect(await index.manifest(REPOSITORY, C)).toBeNull();
  });

  it("loses a manifest's tags and parts with it, and a tag alone", async () => {
    await put(A, "v1", [C]);
    await put(A, "v2", [C]);
    await put(B, "v3");
    expect(await index.userOf(REPOSITORY, C)).toBe(A);
    expect([await index.removeTag(REPOSITORY, "v2"), await index.removeTag(REPOSITORY, "v2")]).toEqual([true, false]);
    expect([await index.removeManifest(REPOSITORY, A), await index.removeManifest(REPOSITORY, A)]).toEqual([
      true,
      false,
    ]);
    expect(await index.tags(REPOSITORY, { limit: 10 })).toEqual(["v3"]);
    expect(await index.userOf(REPOSITORY, C)).toBeNull();
  });

  it("lists tags in lexical order, whatever their case, page by page", async () => {
    for (const tag of ["b", "B", "a", "10", "9", "_x", "C"]) await put(A, tag);
    const all = ["10", "9", "_x", "a", "B", "b", "C"];
    expect(await index.tags(REPOSITORY, { limit: 10 })).toEqual(all);
    const paged: string[] = [];
    for (let last: string | undefined; ; last = paged.at(-1)) {
      const page = await index.tags(REPOSITORY, { last, limit: 2 });
      paged.push(...page);
      if (page.length < 2) break;
    }
    expect(paged).toEqual(all);
    expect(await index.tags(REPOSITORY, { last: "aa", limit: 1 })).toEqual(["B"]);
  });

  it("lists repositories that have a manifest", async () => {
    await put(A);
    await index.putManifest({ ...manifest(A), repository: "b" }, { parts: [], tag: null, now: 1 });
    await index.linkBlob("only/blobs", A, 1, 1);
    expect(await index.repositories({ limit: 10 })).toEqual(["b", REPOSITORY]);
    expect(await index.repositories({ last: "b", limit: 10 })).toEqual([REPOSITORY]);
    expect([await index.hasRepository("b"), await index.hasRepository("only/blobs")]).toEqual([true, false]);
  });

  it("finds what refers to a manifest, by type and page by page", async () => {
    await put(B, null, [], { subject: A, artifact_type: "x" });
    await put(C, null, [], { subject: A, artifact_type: "y" });
    const of = async (options: { artifactType?: string; last?: string; limit: number }) =>
      (await index.referrers(REPOSITORY, A, options)).map((one) => one.digest);
    expect(await of({ limit: 10 })).toEqual([B, C]);
    expect(await of({ limit: 10, artifactType: "y" })).toEqual([C]);
    expect(await of({ limit: 1 })).toEqual([B]);
    expect(await of({ limit: 1, last: B })).toEqual([C]);
    expect(await index.referrers("other", A, { limit: 10 })).toEqual([]);
  });

  it("knows which blobs nothing names for how long, and which digests anybody has", async () => {
    await index.linkBlob(REPOSITORY, A, 1, 100);
    await index.linkBlob(REPOSITORY, B, 1, 100);
    await put(C, null, [B]);
    expect(await index.looseBlobs(101)).toEqual([{ repository: REPOSITORY, digest: A }]);
    expect(await index.looseBlobs(100)).toEqual([]);
    await index.linkBlob(REPOSITORY, A, 1, 500);
    expect(await index.looseBlobs(101)).toEqual([]);
    expect(await index.unlinkLoose({ repository: REPOSITORY, digest: A }, 101)).toBe(false);
    expect(await index.unlinkLoose({ repository: REPOSITORY, digest: B }, 501)).toBe(false);
    expect(await index.unlinkLoose({ repository: REPOSITORY, digest: A }, 501)).toBe(true);
    await index.linkBlob(REPOSITORY, A, 1, 500);
    expect([await index.isKept(A), await index.isKept(C), await index.isKept(digest("d"))]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("keeps uploads with their repository", async () => {
    await index.beginUpload("u1", REPOSITORY, 1);
    expect([await index.hasUpload("u1", REPOSITORY), await index.hasUpload("u1", "other")]).toEqual([true, false]);
    expect(await index.uploads()).toEqual(["u1"]);
    await index.endUpload("u1");
    expect(await index.uploads()).toEqual([]);
  });
});
