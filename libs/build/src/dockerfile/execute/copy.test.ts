import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DockerfileBuilds, type Tree } from "../../testing/dockerfiles.ts";

const CONTEXT: Tree = {
  a: "A",
  b: { mode: 0o4755 },
  "d/hx": "X",
  "d/sub": { type: "directory", mode: 0o700, uid: 0, gid: 0, mtime_s: 5 },
  "d/sub/s": "S",
  "d/x": { type: "hard_link", target: "d/hx" } as never,
  "e/.hidden": "",
  la: "-> a",
  ld: "-> d",
  out: "-> ../../etc/passwd",
  "f1.go": "1",
  "f2.go": "2",
  "[x": "bracket",
};
const BASE: Tree = {
  etc: null,
  "etc/passwd": "root:x:0:0::/root:/bin/sh\njoe:x:1000:1001::/home/joe:/bin/sh\n",
  "etc/group": "root:x:0:\njoe:x:1005:\ngrp:x:1001:\n",
  tmp: { type: "directory", mode: 0o1777, uid: 0, gid: 0, mtime_s: 5 },
  lnk: "-> /tmp",
  up: "-> ../../../tmp",
  fl: "old",
  flnk: "-> fl",
  loop: "-> loop",
  "t/sub": { type: "directory", mode: 0o711, uid: 1, gid: 2, mtime_s: 5 },
  t: { type: "directory", mode: 0o711, uid: 1, gid: 2, mtime_s: 5 },
};

/** [instructions after FROM base, what is new or another: path, type, mode, owner, content]; measured on BuildKit of Docker 20.10 */
const MADE: readonly (readonly [string, readonly string[]])[] = [
  ["COPY a /", ['a file 644 0:0 "A"']],
  ["COPY a /q", ['q file 644 0:0 "A"']],
  ["COPY a q/r/", ["q directory 755 0:0", "q/r directory 755 0:0", 'q/r/a file 644 0:0 "A"']],
  ["COPY a b /q/", ["q directory 755 0:0", 'q/a file 644 0:0 "A"', 'q/b file 4755 0:0 "x"']],
  [
    "COPY d /q",
    [
      "q directory 755 0:0",
      'q/hx file 644 0:0 "X"',
      "q/sub directory 700 0:0",
      'q/sub/s file 644 0:0 "S"',
      "q/x hard_link 644 0:0 q/hx",
    ],
  ],
  [
    "COPY d e /q",
    [
      "q directory 755 0:0",
      'q/.hidden file 644 0:0 ""',
      'q/hx file 644 0:0 "X"',
      "q/sub directory 700 0:0",
      'q/sub/s file 644 0:0 "S"',
      "q/x hard_link 644 0:0 q/hx",
    ],
  ],
  ["COPY d/* /q/", ["q directory 755 0:0", 'q/hx file 644 0:0 "X"', 'q/s file 644 0:0 "S"', 'q/x file 644 0:0 "X"']],
  ["COPY f*.go /q/", ["q directory 755 0:0", 'q/f1.go file 644 0:0 "1"', 'q/f2.go file 644 0:0 "2"']],
  ["COPY f2*.go /q.go", ['q.go file 644 0:0 "2"']],
  ["COPY none* a /q/", ["q directory 755 0:0", 'q/a file 644 0:0 "A"']],
  ["COPY [[]x /q", ['q file 644 0:0 "bracket"']],
  ["COPY la /q", ['q file 644 0:0 "A"']],
  ["COPY la /q/", ["q directory 755 0:0", 'q/la file 644 0:0 "A"']],
  ["COPY ld/x /q", ['q file 644 0:0 "X"']],
  ["COPY ../../a /q", ['q file 644 0:0 "A"']],
  ["COPY --chown=joe a /q/", ["q directory 755 1000:1001", 'q/a file 644 1000:1001 "A"']],
  ["COPY --chown=joe:joe a /q", ['q file 644 1000:1005 "A"']],
  ["COPY --chown=7 a /q", ['q file 644 7:7 "A"']],
  ["COPY --chown=7:grp a /q", ['q file 644 7:1001 "A"']],
  [
    "COPY --chmod=640 d /q/",
    [
      "q directory 755 0:0",
      'q/hx file 640 0:0 "X"',
      "q/sub directory 640 0:0",
      'q/sub/s file 640 0:0 "S"',
      "q/x hard_link 640 0:0 q/hx",
    ],
  ],
  ["COPY --chmod=u+x,go= a /q", ['q file 700 0:0 "A"']],
  ["COPY a /lnk/", ['tmp/a file 644 0:0 "A"']],
  ["COPY a /up/", ['tmp/a file 644 0:0 "A"']],
  ["COPY e /lnk", ['tmp/.hidden file 644 0:0 ""']],
  ["COPY a /tmp", ['tmp/a file 644 0:0 "A"']],
  ["WORKDIR /w\nCOPY a .", ["w directory 755 0:0", 'w/a file 644 0:0 "A"']],
  [
    "WORKDIR /w\nUSER joe\nWORKDIR u/v",
    ["w directory 755 0:0", "w/u directory 755 1000:1001", "w/u/v directory 755 1000:1001"],
  ],
  ["WORKDIR /lnk/w", ["tmp/w directory 755 0:0"]],
  ["WORKDIR /tmp", []],
  [
    "COPY <<A <<B /q/\none\nA\ntwo\nB",
    ["q directory 755 0:0", 'q/A file 644 0:0 "one\\n"', 'q/B file 644 0:0 "two\\n"'],
  ],
  [
    "COPY --exclude=*.go --exclude=d . /q",
    [
      "q directory 755 0:0",
      "q/Dockerfile file",
      'q/[x file 644 0:0 "bracket"',
      'q/a file 644 0:0 "A"',
      'q/b file 4755 0:0 "x"',
      "q/e directory 755 0:0",
      'q/e/.hidden file 644 0:0 ""',
      "q/la symlink 777 0:0 a",
      "q/ld symlink 777 0:0 d",
      "q/out symlink 777 0:0 ../../etc/passwd",
    ],
  ],
  [
    "COPY --parents d/sub/s /q/",
    ["q directory 755 0:0", "q/d directory 755 0:0", "q/d/sub directory 700 0:0", 'q/d/sub/s file 644 0:0 "S"'],
  ],
  ["COPY --parents d/./sub /q/", ["q directory 755 0:0", "q/sub directory 700 0:0", 'q/sub/s file 644 0:0 "S"']],
  ["COPY --link a /lnk/q", ['lnk/q file 644 0:0 "A"']],
];

/** [instructions after FROM base, what is said] */
const REFUSED: readonly (readonly [string, string])[] = [
  ["COPY nope /q", '"/nope": not found'],
  ["COPY nodir/*.x /q/", '"/nodir": not found'],
  ["COPY out /q", '"/out": not found'],
  ["COPY d /fl", "cannot copy to non-directory: /fl"],
  ["COPY a /fl/", 'cannot make the folder "/fl": "/fl" is no folder'],
  [
    "COPY a b /q",
    "when using COPY with more than one source file, the destination must be a directory and end with a /",
  ],
  ["COPY a /loop/", "too many links"],
  ["COPY --chown=nobody a /q", "no such user: nobody"],
  ["COPY --chown=joe:none a /q", "no such group: none"],
  ["COPY --chown=4294967296 a /q", '"4294967296" is no id'],
  ["WORKDIR /fl/x", 'cannot make the folder "/fl/x": "/fl" is no folder'],
  ["COPY --from=gone a /q", "gone: not found"],
];

describe("what COPY makes", () => {
  let builds: DockerfileBuilds;
  beforeAll(async () => {
    builds = await DockerfileBuilds.start();
    await builds.image("base", BASE);
    await builds.image("other", {
      s: { type: "directory", mode: 0o750, uid: 5, gid: 6, mtime_s: 5 },
      "s/f": { mode: 0o2755, uid: 7, gid: 8 },
      "s/l": "-> f",
    });
  });
  afterAll(() => builds.close());

  it.each(MADE)("%s", async (instructions, expected) => {
    const lines = await builds.made(`FROM base\n${instructions}`, { context: CONTEXT }, BASE);
    expect(lines.map((line) => line.replace(/^(q\/Dockerfile file) .*/, "$1"))).toEqual(expected);
  });

  it.each(REFUSED)("%s is refused", async (instructions, message) => {
    await expect(builds.build(`FROM base\n${instructions}`, { context: CONTEXT })).rejects.toThrow(message);
  });

  it("a link to a file is written through", async () => {
    const lines = await builds.made("FROM base\nCOPY a /flnk", { context: CONTEXT });
    expect(lines).toContain('fl file 644 0:0 "A"');
    expect(lines).toContain("flnk symlink 777 0:0 fl");
  });

  it("a folder that is there keeps its owner and mode, those in it take over", async () => {
    const lines = await builds.made("FROM base\nCOPY d /t", { context: CONTEXT });
    expect(lines.filter((line) => /^t(?:\/sub)? /.test(line))).toEqual([
      "t directory 711 1:2",
      "t/sub directory 700 0:0",
    ]);
  });

  it("from an image owners stay, setgid bits too", async () => {
    const lines = await builds.made("FROM base\nCOPY --from=other s /q\nCOPY --from=other --chown=9 /s/l /r", {}, BASE);
    expect(lines).toEqual([
      "q directory 755 0:0",
      'q/f file 2755 7:8 "x"',
      "q/l symlink 777 0:0 f",
      'r file 2755 9:9 "x"',
    ]);
  });

  it(".dockerignore leaves out, and what it takes back is there", async () => {
    const context = { ...CONTEXT, ".dockerignore": "*\n!d\nd/sub\n!a" };
    const lines = await builds.made("FROM base\nCOPY . /q", { context }, BASE);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["q", "q/a", "q/d", "q/d/hx", "q/d/x"]);
    await expect(builds.build("FROM base\nCOPY b /q", { context })).rejects.toThrow('"/b": not found');
  });

  it("names of one file stay so, whatever order a tar has them in, and though one is left out", async () => {
    const context = { "d/z": "Z", "d/y": { type: "hard_link", target: "d/z" }, ".dockerignore": "d/z" } as Tree;
    expect(await builds.made("FROM base\nCOPY d /q", { context }, BASE)).toEqual([
      "q directory 755 0:0",
      'q/y file 644 0:0 "Z"',
    ]);
  });

  it("names that layers cannot have are refused", async () => {
    await expect(builds.build("FROM base\nCOPY . /", { context: { "x/.wh.y": "" } as Tree })).rejects.toThrow(".wh.");
  });
});
