import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type BuildId,
  type BuildResult,
  BuildUsage,
  DEFAULT_SETTINGS,
  type Digest,
  type FunctionName,
  NO_BUILD_OPTIONS,
  newBuildId,
} from "@mayfly/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Catalog } from "./catalog.ts";

const NAME = "hello" as FunctionName;
const IMAGE = `sha256:${"a".repeat(64)}` as Digest;
const T = "2026-11-24T00:00:00.000000Z";

describe("the catalog", () => {
  let dir: string;
  let catalog: Catalog;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-catalog-"));
    catalog = await Catalog.open(join(dir, "c.sqlite"));
  });
  afterEach(async () => {
    await catalog.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const begin = async (
    source = "sha256:s1",
    settings = DEFAULT_SETTINGS,
    options = NO_BUILD_OPTIONS,
    name: FunctionName | null = NAME,
  ): Promise<BuildId> => {
    const id = newBuildId(Date.now());
    await catalog.createBuild({ id, function: name, created_at: T, source_digest: source, settings, options });
    return id;
  };
  const done = (build: BuildId): BuildResult => ({
    build,
    function: NAME,
    ended_at: T,
    duration_us: 1,
    log_tail: [],
    usage: null,
    bill: null,
    outcome: { status: "done", image: IMAGE, contract: "fetch", size_bytes: 10, exports: [] },
  });

  it("numbers versions from 1 and points live at the newest", async () => {
    await catalog.finishBuild(done(await begin("sha256:s1")));
    await catalog.finishBuild(done(await begin("sha256:s2")));
    expect((await catalog.versions(NAME)).map((v) => v.version)).toEqual([2, 1]);
    expect((await catalog.version(NAME, "live"))?.version).toBe(2);
    expect((await catalog.alias(NAME, "live"))?.previous).toBe(1);
  });

  it("enters a build of no function, without a version; one that was to be made anew is a version, when its image is another", async () => {
    const image = await begin("sha256:s1", DEFAULT_SETTINGS, { ...NO_BUILD_OPTIONS, tags: ["web:1"] }, null);
    const outcome = { status: "image", image: IMAGE, size_bytes: 10, tags: ["web:1"] } as const;
    await catalog.finishBuild({ ...done(image), function: null, outcome });
    expect(await catalog.build(image)).toMatchObject({ status: "done", function: null, version: null });
    for (const letter of ["a", "b", "b"]) {
      const anew = await begin("sha256:s1", DEFAULT_SETTINGS, { ...NO_BUILD_OPTIONS, no_cache: true });
      const other = { ...done(anew).outcome, image: `sha256:${letter.repeat(64)}` } as BuildResult["outcome"];
      await catalog.finishBuild({ ...done(anew), outcome: other });
    }
    expect((await catalog.versions(NAME)).map((v) => v.version)).toEqual([2, 1]);
  });

  it("keeps what a canceled build used, and that it was canceled", async () => {
    const build = await begin();
    await catalog.cancelBuild(build, T);
    await catalog.finishBuild({
      ...done(build),
      usage: BuildUsage.parse({ cpu_us: 5, memory_peak_bytes: 6, wall_us: 7 }),
    });
    expect(await catalog.build(build)).toMatchObject({ status: "canceled", result: { usage: { cpu_us: 5 } } });
    expect(await catalog.versions(NAME)).toEqual([]);
  });

  it("enters a build's result once, however often it arrives", async () => {
    const build = await begin();
    await catalog.finishBuild(done(build));
    await catalog.finishBuild(done(build));
    expect(await catalog.versions(NAME)).toHaveLength(1);
  });

  it("lets a canceled build make no version", async () => {
    const build = await begin();
    expect(await catalog.cancelBuild(build, T)).toBe(true);
    await catalog.finishBuild(done(build));
    expect(await catalog.versions(NAME)).toEqual([]);
    expect((await catalog.build(build))?.status).toBe("canceled");
    expect(await catalog.cancelBuild(build, T)).toBe(false);
  });

  it("makes no function out of a build that failed", async () => {
    const build = await begin();
    const failed = {
      ...done(build),
      outcome: { status: "error" as const, error: { code: "build_failed" as const, message: "no" } },
    };
    expect((await catalog.finishBuild(failed))?.status).toBe("failed");
    expect(await catalog.function(NAME)).toBe(null);
  });

  it("knows a deploy that is no new one by source and settings, whatever the order of keys", async () => {
    const settings = { ...DEFAULT_SETTINGS, env: { A: "1", B: "2" } };
    await catalog.finishBuild(done(await begin("sha256:s1", settings)));
    const turned = {
      ...Object.fromEntries(Object.entries(settings).reverse()),
      env: { B: "2", A: "1" },
    } as typeof settings;
    expect((await catalog.sameDeploy(NAME, "sha256:s1", turned))?.version).toBe(1);
    expect(await catalog.sameDeploy(NAME, "sha256:s1", DEFAULT_SETTINGS)).toBe(null);
    expect(await catalog.sameDeploy(NAME, "sha256:s2", settings)).toBe(null);
  });

  it("changes settings by a new version over the same image", async () => {
    await catalog.finishBuild(done(await begin()));
    const before = (await catalog.version(NAME, "live"))!;
    const after = await catalog.changeSettings(before, { ...DEFAULT_SETTINGS, timeout_ms: 1000 }, T);
    expect([after.version, after.image, after.settings.timeout_ms]).toEqual([2, IMAGE, 1000]);
    expect((await catalog.version(NAME, "1"))?.settings.timeout_ms).toBe(30_000);
  });

  it("makes one version of the same deploy that came twice at once", async () => {
    const [first, second] = [await begin(), await begin()];
    await catalog.finishBuild(done(first));
    expect((await catalog.finishBuild(done(second)))?.version).toBe(1);
    expect(await catalog.versions(NAME)).toHaveLength(1);
  });

  it("keeps live at what was asked for last, though its build ended first", async () => {
    const first = await begin("sha256:s1");
    await sleep(2);
    const second = await begin("sha256:s2");
    await catalog.finishBuild(done(second));
    await catalog.finishBuild(done(first));
    expect((await catalog.version(NAME, "live"))?.source_digest).toBe("sha256:s2");
    expect((await catalog.versions(NAME)).map((v) => v.version)).toEqual([2, 1]);
  });

  it("takes a deploy live after a rollback", async () => {
    await catalog.finishBuild(done(await begin("sha256:s1")));
    await sleep(2);
    await catalog.finishBuild(done(await begin("sha256:s2")));
    expect((await catalog.point(NAME, "live", 1, T)).previous).toBe(2);
    await sleep(2);
    await catalog.finishBuild(done(await begin("sha256:s3")));
    expect((await catalog.version(NAME, "live"))?.version).toBe(3);
  });

  it("lists the builds that have not ended", async () => {
    const build = await begin();
    await catalog.finishBuild(done(await begin("sha256:s2")));
    expect((await catalog.unfinishedBuilds()).map(({ id }) => id)).toEqual([build]);
    expect(await catalog.unfinishedBuilds("2026-11-23T00:00:00.000Z")).toEqual([]);
  });

  it("is as it was after it was opened again", async () => {
    await catalog.finishBuild(done(await begin()));
    await catalog.close();
    catalog = await Catalog.open(join(dir, "c.sqlite"));
    expect((await catalog.version(NAME, "live"))?.image).toBe(IMAGE);
  });

  it("lets no build bring a removed function back", async () => {
    await catalog.finishBuild(done(await begin()));
    const late = await begin("sha256:s2");
    await catalog.remove(NAME, T);
    expect((await catalog.finishBuild(done(late)))?.status).toBe("canceled");
    expect(await catalog.function(NAME)).toBe(null);
  });

  it("removes a function with its versions, and starts anew under the name", async () => {
    await catalog.finishBuild(done(await begin()));
    expect(await catalog.remove(NAME, T)).toBe(true);
    expect(await catalog.remove(NAME, T)).toBe(false);
    expect(await catalog.version(NAME, "live")).toBe(null);
    await catalog.finishBuild(done(await begin()));
    expect((await catalog.version(NAME, "live"))?.version).toBe(1);
  });
});
