import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { busyboxBase } from "./builders/bases.ts";
import { Mayfly } from "./builders/mayfly.ts";
import { byOurClient } from "./builders/packing.ts";
import { laidOut } from "./laid-out.ts";
import { Engine } from "./made/of-build.ts";
import { readRecorded, recordedFor } from "./recorded.ts";
import { selected } from "./select.ts";
import { verdictOf } from "./verdict.ts";

/** Cases on Debian take a mirror to make it: `npm run conformance` has them. */
const cases = selected("**", null).filter(({ name }) => !name.startsWith("debian/"));

/** Each case built here, beside what Docker and buildah have made of it when that was recorded. */
describe("Dockerfiles, as others build them", () => {
  const began_s = Math.floor(Date.now() / 1000);
  const recorded = readRecorded();
  let dir: string;
  let mayfly: Mayfly;
  let engine: Engine;
  beforeAll(async () => {
    dir = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "mayfly-conformance-"));
    const base = busyboxBase(dir);
    mayfly = await Mayfly.start(join(dir, "mayfly"), [base], byOurClient);
    engine = await Engine.of(mayfly, [base.name]);
  });
  afterAll(async () => {
    await mayfly?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it("are at least 150", () => {
    expect(cases.length).toBeGreaterThanOrEqual(150);
  });

  it.concurrent.each(cases)("$name: $about", async (one) => {
    const theirs = recordedFor(one, recorded);
    const made = await engine.make(laidOut(one, join(dir, "cases")), began_s);
    expect(verdictOf(one, made, theirs).wrong).toEqual([]);
  });
});
