import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { archive, file, hardLink, symlink } from "../testing/archive.ts";
import { BREAKOUTS } from "../testing/breakouts.ts";
import { inMerged, TestStore } from "../testing/store.ts";

describe("unpacking a hostile layer", () => {
  let test: TestStore;
  let canary: Canary;
  beforeAll(async () => {
    test = await TestStore.open();
    canary = new Canary(test.dir);
  });
  afterAll(async () => {
    expect(await test.leftovers()).toEqual([]);
    test.remove();
  });

  it.each(BREAKOUTS)("%s", async (_, layers, seen, expected) => {
    const before = test.snapshots();
    const unpacking = test.unpack(...layers);
    if (typeof expected === "string") expect(inMerged(await unpacking, seen)).toBe(expected);
    else {
      await expect(unpacking).rejects.toMatchObject({ reason: "refused", message: expect.stringMatching(expected) });
      // The last layer is the hostile one: nothing of it is to be seen.
      expect(test.snapshots().length - before.length).toBeLessThan(layers.length);
    }
    canary.check();
  });

  it("HardlinkSymlinkChmod: what a link of the layer points at on the host is not touched", async () => {
    const tar = archive(
      symlink("link", canary.path),
      hardLink("sketchy", "link"),
      file("link", "through the link", { mode: 0o777 }),
    );
    const [lower] = await test.unpack(tar);
    expect(readlinkSync(join(lower!, "sketchy"))).toBe(canary.path);
    expect(readFileSync(join(lower!, "link"), "utf8")).toBe("through the link");
    canary.check();
  });
});

describe("layer-tree under AddressSanitizer and UBSan", () => {
  it("has nothing to complain of in any of these", async () => {
    const test = await TestStore.forTest({ sanitize: true });
    for (const [name, layers, , expected] of BREAKOUTS) {
      const said = await test.unpack(...layers).then(
        () => "unpacked",
        (error: Error) => error.message,
      );
      expect(`${name}: ${said}`).toMatch(typeof expected === "string" ? / unpacked$/ : expected);
    }
  }, 120_000);
});

/** A file beside the store that a layer would reach if it got out. */
class Canary {
  readonly path: string;
  readonly #before: string;

  constructor(storeDir: string) {
    this.path = join(storeDir, "..", "secret");
    writeFileSync(this.path, "of the host");
    chmodSync(this.path, 0o400);
    this.#before = this.#state();
  }

  #state(): string {
    const { mode, uid, gid, nlink, ctimeNs } = statSync(this.path, { bigint: true });
    const beside = readdirSync(join(this.path, "..")).sort();
    return [
      readFileSync(this.path),
      mode,
      uid,
      gid,
      nlink,
      ctimeNs,
      lstatSync("/etc", { bigint: true }).ctimeNs,
      beside,
    ].join();
  }

  check(): void {
    expect(this.#state()).toBe(this.#before);
  }
}
