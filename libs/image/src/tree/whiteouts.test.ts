import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { archive, dir, file, member, symlink } from "../testing/archive.ts";
import { inMerged, TestStore } from "../testing/store.ts";

const BASE = archive(
  dir("etc"),
  file("etc/a", "a"),
  file("etc/b", "b"),
  dir("etc/d"),
  file("etc/d/x", "x"),
  dir("etc/d/e"),
  file("etc/d/e/y", "y"),
  symlink("link", "etc"),
);

const opaque = (folder: string) => file(`${folder}.wh..wh..opq`);
const gone = (path: string) => file(path.replace(/([^/]*)$/, ".wh.$1"));
const LIST = "find . ! -name . | sort | cut -c3- | tr '\\n' ' '";

/** Layers over BASE, and all the names that a box sees then (OCI image spec, layer.md, "Whiteouts"). */
const CASES: readonly [string, readonly Buffer[], string][] = [
  ["hides a file", [archive(gone("etc/a"))], "etc etc/b etc/d etc/d/e etc/d/e/y etc/d/x link "],
  ["hides a folder with all in it", [archive(gone("etc/d"))], "etc etc/a etc/b link "],
  [
    "hides a link and not what it points at",
    [archive(gone("link"))],
    "etc etc/a etc/b etc/d etc/d/e etc/d/e/y etc/d/x ",
  ],
  [
    "of what is not there does nothing",
    [archive(gone("etc/none"), gone("none/at/all"))],
    "etc etc/a etc/b etc/d etc/d/e etc/d/e/y etc/d/x link none none/at ",
  ],
  [
    "makes the folder that it is in as it was",
    [archive(gone("etc/d/e/y"))],
    "etc etc/a etc/b etc/d etc/d/e etc/d/x link ",
  ],
  [
    "before what this layer puts there leaves only that",
    [archive(gone("etc/d"), dir("etc/d"), file("etc/d/new"))],
    "etc etc/a etc/b etc/d etc/d/new link ",
  ],
  [
    "behind what this layer puts there leaves only that",
    [archive(dir("etc/d"), file("etc/d/new"), gone("etc/d"))],
    "etc etc/a etc/b etc/d etc/d/new link ",
  ],
  [
    "of a folder that this layer only implies leaves only what is new",
    [archive(gone("etc/d"), file("etc/d/new"))],
    "etc etc/a etc/b etc/d etc/d/new link ",
  ],
  [
    "of a file that this layer makes leaves that",
    [archive(gone("etc/a"), file("etc/a", "2"))],
    "etc etc/a etc/b etc/d etc/d/e etc/d/e/y etc/d/x link ",
  ],
  [
    "is forgotten by the layer above it that puts a file there",
    [archive(gone("etc/d")), archive(file("etc/d", "file"))],
    "etc etc/a etc/b etc/d link ",
  ],
  [
    "is forgotten by the layer above it that puts a folder there",
    [archive(gone("etc/d")), archive(dir("etc/d"), file("etc/d/z"))],
    "etc etc/a etc/b etc/d etc/d/z link ",
  ],
  [
    "makes a folder opaque and keeps what the layer has there, first",
    [archive(dir("etc"), opaque("etc/"), file("etc/new"))],
    "etc etc/new link ",
  ],
  [
    "makes a folder opaque and keeps what the layer has there, last",
    [archive(file("etc/new"), dir("etc"), opaque("etc/"))],
    "etc etc/new link ",
  ],
  ["makes a folder opaque that the layer does not hold", [archive(opaque("etc/d/"))], "etc etc/a etc/b etc/d link "],
  ["makes the root opaque", [archive(dir("new"), opaque(""))], "new "],
  ["makes the root opaque for the layers above too", [archive(opaque(""), file("x")), archive(file("y"))], "x y "],
  [
    "is not to be seen below a folder that becomes opaque behind it",
    [archive(gone("etc/a"), gone("etc/d/x"), opaque("etc/"), file("etc/new"))],
    "etc etc/d etc/new link ",
  ],
  [
    "is not to be seen below a root that becomes opaque behind it",
    [archive(gone("etc/a"), opaque(""), gone("etc/b"), file("new"))],
    "etc new ",
  ],
  ["is not to be seen in a layer that nothing lies below", [archive(gone("x/y"), opaque(""))], "x "],
  [
    "goes through a link of a layer below",
    [archive(gone("link/a"))],
    "etc etc/b etc/d etc/d/e etc/d/e/y etc/d/x link ",
  ],
  ["makes a folder opaque through a link", [archive(opaque("link/d/"))], "etc etc/a etc/b etc/d link "],
];

describe("a whiteout", () => {
  let test: TestStore;
  beforeAll(async () => {
    test = await TestStore.open();
  });
  afterAll(() => test.remove());

  it.each(CASES)("%s", async (_, layers, expected) => {
    expect(inMerged(await test.unpack(BASE, ...layers), LIST)).toBe(expected);
  });

  it("lets no implied folder shine through that it hides", async () => {
    const secret = archive(
      member("5", "home", "", { mode: 0o700, uid: 9 }),
      member("5", "home/x", "", { mode: 0o700, uid: 9 }),
    );
    const lower = await test.unpack(secret, archive(dir("home"), opaque("home/"), file("home/x/y", "1")));
    expect(inMerged(lower, "stat -c '%a %u' home/x")).toBe("755 0\n");
  });
});
