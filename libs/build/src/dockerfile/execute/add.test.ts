import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Entry, hardLink, symlink, tarOf } from "../../testing/archives.ts";
import { DockerfileBuilds, type Tree } from "../../testing/dockerfiles.ts";

const BASE: Tree = {
  t: { type: "directory", mode: 0o711, uid: 1, gid: 2, mtime_s: 5 },
  "t/old": "old",
  lnk: "-> /t",
  "q/t": "-> /lnk",
  q: { type: "directory", mode: 0o700, uid: 0, gid: 0, mtime_s: 5 },
};

const folder = (mode: number): Entry => ({ type: "directory", mode });

/** [what it is about, the archive, instruction, what is new or another]; measured on BuildKit of Docker 20.10 */
const MADE: readonly (readonly [string, readonly [string, Entry][], string, readonly string[]])[] = [
  ["a file", [["a", "A"]], "ADD x.tar /n", ["n directory 755 0:0", 'n/a file 644 0:0 "A"']],
  ["a name that says nothing", [["a", "A"]], "ADD x.tar /n/", ["n directory 755 0:0", 'n/a file 644 0:0 "A"']],
  [
    "owners and modes of the archive",
    [["a", { content: "A", mode: 0o4711, uid: 5, gid: 6 }]],
    "ADD --chown=7:8 x.tar /n",
    ["n directory 755 7:8", 'n/a file 4711 5:6 "A"'],
  ],
  [
    "folders that are only implied, which are root's",
    [["d/a", "A"]],
    "ADD --chown=7:8 x.tar /n",
    ["n directory 755 7:8", "n/d directory 755 0:0", 'n/d/a file 644 0:0 "A"'],
  ],
  ["its root, whose attributes do not count", [["./", folder(0o1777)]], "ADD x.tar /n", ["n directory 755 0:0"]],
  [
    "a file twice: the last counts",
    [
      ["a", "first"],
      ["a", { content: "last", mode: 0o600 }],
    ],
    "ADD x.tar /n",
    ["n directory 755 0:0", 'n/a file 600 0:0 "last"'],
  ],
  [
    "a folder where a file was",
    [
      ["a", "A"],
      ["a", folder(0o700)],
      ["a/b", "B"],
    ],
    "ADD x.tar /n",
    ["n directory 755 0:0", "n/a directory 700 0:0", 'n/a/b file 644 0:0 "B"'],
  ],
  [
    "a file where a folder was",
    [
      ["s", folder(0o755)],
      ["s/x", "X"],
      ["s", "S"],
    ],
    "ADD x.tar /n",
    ["n directory 755 0:0", 'n/s file 644 0:0 "S"'],
  ],
  [
    "one more name of a file, which gives it its attributes",
    [
      ["a", { content: "A", mode: 0o600, uid: 3 }],
      ["b", { ...(hardLink("a") as object), mode: 0o640 }],
    ],
    "ADD x.tar /n",
    ["n directory 755 0:0", 'n/a file 640 0:0 "A"', "n/b hard_link 640 0:0 n/a"],
  ],
  [
    "links, as they are",
    [["l", symlink("../../../etc/passwd")]],
    "ADD x.tar /n",
    ["n directory 755 0:0", "n/l symlink 777 0:0 ../../../etc/passwd"],
  ],
  ["nothing it unpacks: COPY", [["a", "A"]], "COPY x.tar /n", ["n file"]],
  ["nothing it unpacks: --unpack=false", [["a", "A"]], "ADD --unpack=false x.tar /n", ["n file"]],
];

describe("what ADD makes of an archive", () => {
  let builds: DockerfileBuilds;
  beforeAll(async () => {
    builds = await DockerfileBuilds.start();
    await builds.image("base", BASE);
  });
  afterAll(() => builds.close());

  const file = (content: Uint8Array) => ({ content, size_bytes: content.byteLength, mode: 0o644 });
  const made = async (entries: readonly [string, Entry][], instruction: string) =>
    builds.made(`FROM base\n${instruction}`, { context: { "x.tar": file(await tarOf(entries)) } }, BASE);

  it.each(MADE)("%s", async (_, entries, instruction, expected) => {
    expect((await made(entries, instruction)).map((line) => line.replace(/^(n file) .*/, "$1"))).toEqual(expected);
  });

  it.each([
    ["gzip", gzipSync],
    ["bzip2", (tar: Buffer) => execFileSync("bzip2", ["-c"], { input: tar })],
    ["xz", (tar: Buffer) => execFileSync("xz", ["-c"], { input: tar })],
  ])("packed with %s, whatever its name is", async (_, pack) => {
    const packed = pack(await tarOf([["a", "A"]]));
    expect(await builds.made("FROM scratch\nADD x /", { context: { x: file(packed) } })).toEqual([
      'a file 644 0:0 "A"',
    ]);
  });

  it("a file that is packed and no archive stays as it is", async () => {
    const [line] = await builds.made("FROM scratch\nADD x.gz /", { context: { "x.gz": file(gzipSync("hello")) } });
    expect(line).toMatch(/^x\.gz file 644 0:0 /);
  });

  it("that ends too early is refused by its name and line", async () => {
    const tar = await tarOf([["a", "A".repeat(3000)]]);
    const building = builds.made("FROM scratch\nADD x /", { context: { x: file(tar.subarray(0, 1500)) } });
    await expect(building).rejects.toMatchObject({
      message: 'cannot unpack "/x": reading a tar: it ends inside of a file',
      range: { start: { line: 2 } },
    });
  });

  it("goes through links of the base, as far as they are no part of it", async () => {
    const entries: [string, Entry][] = [
      ["lnk", folder(0o700)],
      ["lnk/in", "IN"],
    ];
    // A folder takes the place of a link; what goes on through a link does not.
    expect(await made(entries, "ADD x.tar /")).toContain('lnk/in file 644 0:0 "IN"');
    expect(await made([["lnk/in", "IN"]], "ADD x.tar /")).toContain('t/in file 644 0:0 "IN"');
    expect(await made([["in", "IN"]], "ADD x.tar /lnk")).toContain('t/in file 644 0:0 "IN"');
  });

  it.each<[string, [string, Entry][], string, string]>([
    [
      "a link to what is not there",
      [
        ["l", symlink("gone")],
        ["l/a", "A"],
      ],
      "/n",
      'through "/l", a link to what is',
    ],
    ["a link that begins at the folder's root", [["t/in", "IN"]], "/q", 'through "/t", a link to what is not there'],
    ["one more name of nothing", [["b", hardLink("a")]], "/n", 'links "b" to "a", which is not there'],
    ["one more name of a folder", [["b", hardLink("t")]], "/", 'links "b" to "t", which is a folder'],
    [
      "a name of itself",
      [
        ["b", "B"],
        ["b", hardLink("b")],
      ],
      "/n",
      'links "b" to "b", which is not there',
    ],
  ])("%s is refused", async (_, entries, to, message) => {
    await expect(made(entries, `ADD x.tar ${to}`)).rejects.toThrow(message);
  });
});
