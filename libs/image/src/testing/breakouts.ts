import { archive, dir, file, hardLink, symlink } from "./archive.ts";

const etc = dir("etc", 0o770);
const passwd = file("/etc/passwd", "inside");
const BASE = archive(dir("/etc/"), passwd, dir("/localetc/"));
const LINKED = archive(
  dir("/etc/"),
  file("/etc/passwd", "all users"),
  file("/etc/whitedout", "x"),
  symlink("localetc", "/etc"),
);

/** Both names are one file. */
const SAME = (a: string, b: string) => `[ ${a} -ef ${b} ] && cat ${b}`;

/**
 * The cases of containerd's TestBreakouts (pkg/archive/tar_test.go), by their names: layers, what a box sees then, or the refusal.
 * None may change or read anything but the layer's own tree.
 */
export const BREAKOUTS: readonly [name: string, layers: readonly Buffer[], seen: string, expected: string | RegExp][] =
  [
    [
      "SymlinkAbsolute",
      [archive(dir("etc"), symlink("localetc", "/etc"), file("/localetc/unbroken", "ok"))],
      "cat etc/unbroken",
      "ok",
    ],
    [
      "SymlinkUpAndOut",
      [archive(dir("etc"), dir("dummy"), symlink("localetc", "/dummy/../etc"), file("/localetc/unbroken", "ok"))],
      "cat etc/unbroken",
      "ok",
    ],
    [
      "SymlinkMultipleAbsolute",
      [
        archive(
          dir("etc"),
          dir("dummy"),
          symlink("/dummy/etc", "/etc"),
          symlink("localetc", "/dummy/etc"),
          file("/localetc/unbroken", "ok"),
        ),
      ],
      "cat etc/unbroken",
      "ok",
    ],
    [
      "SymlinkMultipleRelative",
      [
        archive(
          dir("etc"),
          dir("dummy"),
          symlink("/dummy/etc", "/etc"),
          symlink("localetc", "./dummy/etc"),
          file("/localetc/unbroken", "ok"),
        ),
      ],
      "cat etc/unbroken",
      "ok",
    ],
    [
      "SymlinkEmptyFile",
      [archive(dir("etc"), file("etc/emptied", "notempty"), symlink("localetc", "/etc"), file("/localetc/emptied"))],
      "wc -c < etc/emptied",
      "0\n",
    ],
    [
      "HardlinkRelative",
      [
        archive(
          etc,
          passwd,
          dir("breakouts"),
          symlink("breakouts/d1", "../../etc"),
          hardLink("breakouts/mypasswd", "/breakouts/d1/passwd"),
        ),
      ],
      SAME("breakouts/mypasswd", "etc/passwd"),
      "inside",
    ],
    [
      "HardlinkDownAndOut",
      [
        archive(
          etc,
          passwd,
          dir("breakouts"),
          dir("downandout"),
          symlink("breakouts/d1", "../downandout/../../etc"),
          hardLink("breakouts/mypasswd", "/breakouts/d1/passwd"),
        ),
      ],
      SAME("breakouts/mypasswd", "etc/passwd"),
      "inside",
    ],
    [
      "HardlinkAbsolute",
      [archive(etc, passwd, symlink("localetc", "/etc"), hardLink("local", "/localetc/passwd"))],
      SAME("local", "etc/passwd"),
      "inside",
    ],
    [
      "HardlinkRelativeLong",
      [archive(etc, passwd, symlink("localetc", "../../../../../../../etc"), hardLink("local", "/localetc/passwd"))],
      SAME("local", "etc/passwd"),
      "inside",
    ],
    [
      "HardlinkRelativeUpAndOut",
      [archive(etc, passwd, symlink("localetc", "upandout/../../../etc"), hardLink("local", "/localetc/passwd"))],
      SAME("local", "etc/passwd"),
      "inside",
    ],
    [
      "HardlinkDirectRelative",
      [archive(etc, passwd, hardLink("local", "../../../../../etc/passwd"))],
      SAME("local", "etc/passwd"),
      "inside",
    ],
    [
      "HardlinkDirectAbsolute",
      [archive(etc, passwd, hardLink("local", "/etc/passwd"))],
      SAME("local", "etc/passwd"),
      "inside",
    ],
    [
      "SymlinkParentDirectory",
      [archive(etc, passwd, symlink("..", "/etc/"), hardLink("local", "/etc/passwd"))],
      "",
      /the root is a folder/,
    ],
    [
      "SymlinkEmptyFilename",
      [archive(etc, passwd, symlink("", "/etc/"), hardLink("local", "/etc/passwd"))],
      "",
      /the root is a folder/,
    ],
    [
      "SymlinkParentRelative",
      [archive(etc, passwd, symlink("localetc/sub/..", "/etc/"), hardLink("/localetc/local", "/etc/passwd"))],
      SAME("etc/local", "etc/passwd"),
      "inside",
    ],
    [
      "SymlinkSlashEnded",
      [archive(etc, passwd, dir("localetc/"), hardLink("/localetc/local", "/etc/passwd"))],
      SAME("localetc/local", "etc/passwd"),
      "inside",
    ],
    [
      "SymlinkOverrideDirectory",
      [BASE, archive(symlink("localetc", "/etc"), hardLink("/localetc/local", "/etc/passwd"))],
      SAME("etc/local", "etc/passwd"),
      "inside",
    ],
    [
      "SymlinkOverrideDirectoryRelative",
      [BASE, archive(symlink("localetc", "../../etc"), hardLink("/localetc/local", "/etc/passwd"))],
      SAME("etc/local", "etc/passwd"),
      "inside",
    ],
    [
      "DirectoryOverrideSymlink",
      [
        archive(dir("etc"), passwd, symlink("localetc", "/etc")),
        archive(dir("/localetc/"), hardLink("/localetc/local", "/etc/passwd")),
      ],
      `${SAME("localetc/local", "etc/passwd")}; [ ! -e etc/local ]`,
      "inside",
    ],
    [
      "DirectoryOverrideSymlinkAndHardlink",
      [
        archive(dir("etc"), passwd, symlink("localetc", "etc"), hardLink("/localetc/local", "/etc/passwd")),
        archive(dir("/localetc/"), file("/localetc/local", "different")),
      ],
      "cat localetc/local etc/passwd",
      "differentinside",
    ],
    ["WhiteoutRootParent", [BASE, archive(file(".wh..."))], "", /the whiteout names nothing/],
    ["WhiteoutParent", [BASE, archive(file("etc/.wh..."))], "", /the whiteout names nothing/],
    ["WhiteoutRoot", [BASE, archive(file(".wh.."))], "", /the whiteout names nothing/],
    ["WhiteoutCurrentDirectory", [BASE, archive(file("etc/.wh.."))], "", /the whiteout names nothing/],
    ["WhiteoutSymlink", [LINKED, archive(file(".wh.localetc"))], "cat etc/passwd; [ ! -L localetc ]", "all users"],
    [
      "WhiteoutSymlinkPath",
      [LINKED, archive(file("localetc/.wh.whitedout"))],
      "cat etc/passwd; [ ! -e etc/whitedout ]",
      "all users",
    ],
    ["WhiteoutDirectoryName", [LINKED, archive(file(".wh.etc/somefile", "x"))], "", /it lies below a whiteout/],
    [
      "WhiteoutDeadSymlinkParent",
      [archive(etc, passwd, symlink("dead", "/dne")), archive(file("dead/.wh.etc"))],
      "cat etc/passwd",
      "inside",
    ],
    ["WhiteoutRelativePath", [BASE, archive(file("dne/../.wh.etc"))], "[ ! -e etc ] && echo gone", "gone\n"],
    [
      "HardlinkSymlinkBeforeCreateTarget",
      [archive(etc, symlink("local", "/etc/passwd"), hardLink("dup", "local"), file("/etc/passwd", "after"))],
      "readlink dup",
      "/etc/passwd\n",
    ],
    [
      "HardlinkSymlinkRelative",
      [archive(etc, passwd, symlink("link", "../../../../../etc/passwd"), hardLink("local", "/link"))],
      "readlink local link | uniq",
      "../../../../../etc/passwd\n",
    ],
    [
      "HardlinkSymlinkAbsolute",
      [archive(etc, passwd, symlink("link", "/etc/passwd"), hardLink("local", "/link"))],
      "readlink local",
      "/etc/passwd\n",
    ],
    // Unpackers of npm's, and Go's TOCTOU (CVE-2024-12905, CVE-2025-48387, CVE-2025-59343, CVE-2026-23745, CVE-2026-17106).
    ["LinkToItself", [archive(symlink("a", "a"), file("a/b", "x"))], "", /goes round in circles/],
    [
      "LinksInACircle",
      [archive(symlink("a", "/b/x"), symlink("b", "/a/x"), file("a/c", "x"))],
      "",
      /goes round in circles/,
    ],
    ["HardlinkToFolder", [archive(etc, hardLink("x", "etc"))], "", /hard link's target/],
    ["HardlinkToNothing", [archive(hardLink("x", "etc/shadow"))], "", /target is not there/],
    ["HardlinkToRoot", [archive(hardLink("x", "/"))], "", /hard link's target/],
    ["HardlinkToItself", [archive(file("a", "x"), hardLink("a", "./a"))], "cat a", "x"],
    ["FileAsParent", [archive(file("a", "x"), file("a/b", "y"))], "", /its folder is none/],
    [
      "DeviceAsParent",
      [archive(Buffer.concat([file("a")]), symlink("b", "a"), file("b/c", "y"))],
      "",
      /its folder is none/,
    ],
    ["LowerFileAsParent", [archive(file("a", "x")), archive(file("a/b", "y"))], "", /none in the layers below/],
    [
      "SiblingPrefix",
      [archive(dir("out"), dir("out-evil"), symlink("out/link", "../out-evil"), file("out/link/x", "y"))],
      "cat out-evil/x",
      "y",
    ],
    [
      "UnicodeTwins",
      [archive(file("caf\u00e9", "composed"), symlink("cafe\u0301", "/etc"), file("caf\u00e9", "again"))],
      "cat caf\u00e9",
      "again",
    ],
    [
      "FileReplacesFolder",
      [archive(dir("a"), dir("a/b"), file("a/b/c"), file("a", "now a file"))],
      "cat a",
      "now a file",
    ],
    [
      "SymlinkReplacesFolder",
      [archive(dir("a"), file("a/b"), dir("c"), symlink("a", "c"), file("a/d", "x"))],
      "cat c/d; [ ! -e c/b ]",
      "x",
    ],
  ];
