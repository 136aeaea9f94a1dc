import { describe, expect, it } from "vitest";
import { lastOf } from "../../testing/plans.ts";

const first = (instructions: string) => lastOf(`FROM base AS base\nFROM base\n${instructions}`).steps[0]!;

/** [instructions, members of the first step] */
const RUNS: readonly (readonly [string, string, object])[] = [
  ["a shell's command", "RUN a $B", { kind: "run", args: ["/bin/sh", "-c", "a $B"], user: "", cwd: "/", script: null }],
  ["words need no shell", 'RUN ["a","$B"]', { args: ["a", "$B"], command: "a $B" }],
  ["another shell", 'SHELL ["/bin/bash","-ec"]\nRUN a', { args: ["/bin/bash", "-ec", "a"] }],
  ["user and folder", "USER joe\nENV W=/w\nUSER $W\nRUN a", { user: "/w" }],
  ["a heredoc is the command", "RUN <<EOF\na\nb\nEOF", { args: ["/bin/sh", "-c", "a\nb\n"] }],
  ["a heredoc without its tabs", "RUN <<-EOF\n\ta\n\tEOF", { args: ["/bin/sh", "-c", "a\n"] }],
  ["a heredoc is never expanded", "ENV A=1\nRUN <<EOF\n$A\nEOF", { args: ["/bin/sh", "-c", "$A\n"] }],
  [
    "a heredoc in a longer command goes to the shell",
    "RUN cat <<EOF >/x\na\nEOF",
    { args: ["/bin/sh", "-c", "cat <<EOF >/x\na\nEOF"] },
  ],
  ["two heredocs", "RUN cat <<A - <<B\n1\nA\n2\nB", { args: ["/bin/sh", "-c", "cat <<A - <<B\n1\nA\n2\nB"] }],
  [
    "a script",
    "RUN <<EOF\n#!/bin/x\na\nEOF",
    { args: ["/bin/sh", "-c", "/dev/pipes/EOF"], script: { path: "/dev/pipes/EOF", content: "#!/bin/x\na\n" } },
  ],
  ["network and security", "RUN --network=none --security=insecure a", { network: "none", security: "insecure" }],
  [
    "a mount of the context",
    "RUN --mount=target=/x,source=y a",
    {
      mounts: [
        expect.objectContaining({
          type: "bind",
          origin: { kind: "context" },
          target: "/x",
          source: "y",
          read_only: true,
        }),
      ],
    },
  ],
  [
    "a mount of a stage",
    "RUN --mount=from=base,target=x a",
    { mounts: [expect.objectContaining({ origin: { kind: "stage", stage: 0 }, target: "/x" })] },
  ],
  [
    "a mount of an image",
    "RUN --mount=from=img:1,target=/x a",
    { mounts: [expect.objectContaining({ origin: { kind: "image", reference: "img:1" } })] },
  ],
  [
    "a cache is called by its target",
    "RUN --mount=type=cache,target=/x/ a",
    { mounts: [expect.objectContaining({ type: "cache", id: "/x", target: "/x", origin: { kind: "scratch" } })] },
  ],
  [
    "a secret's place",
    "RUN --mount=type=secret,id=a/b a",
    { mounts: [expect.objectContaining({ id: "a/b", target: "/run/secrets/b", mode: 0o400 })] },
  ],
  [
    "a secret's own place",
    "RUN --mount=type=secret,target=/x/y a",
    { mounts: [expect.objectContaining({ id: "y", target: "/x/y" })] },
  ],
  [
    "a secret as a variable",
    "RUN --mount=type=secret,id=a,env=A a",
    { mounts: [expect.objectContaining({ env: "A", target: "" })] },
  ],
  [
    "variables in a mount",
    "ARG T=/t\nRUN --mount=type=cache,target=$T a",
    { mounts: [expect.objectContaining({ target: "/t" })] },
  ],
];

/** [what it shows, instructions, members] */
const COPIES: readonly (readonly [string, string, object])[] = [
  [
    "a file of the context",
    "COPY a /b",
    {
      kind: "copy",
      sources: [{ kind: "path", origin: { kind: "context" }, pattern: "/a", keep: null, unpack: false }],
      destination: "/b",
      chown: null,
      chmod: null,
      link: false,
      exclude: [],
    },
  ],
  [
    "of a stage",
    "COPY --from=base a /b",
    { sources: [expect.objectContaining({ origin: { kind: "stage", stage: 0 }, pattern: "/a" })] },
  ],
  [
    "of an image",
    "COPY --from=img:1 a /b",
    { sources: [expect.objectContaining({ origin: { kind: "image", reference: "img:1" } })] },
  ],
  [
    "variables in everything",
    "ARG V=v\nCOPY --chown=$V:1 --chmod=75$N5 --exclude=$V.x $V ${V}2 /$V/",
    {
      sources: [expect.objectContaining({ pattern: "/v" }), expect.objectContaining({ pattern: "/v2" })],
      destination: "/v/",
      chown: "v:1",
      exclude: ["v.x"],
    },
  ],
  ["never above the root", "COPY ../../a /b", { sources: [expect.objectContaining({ pattern: "/a" })] }],
  ["the whole context", "COPY . /b", { sources: [expect.objectContaining({ pattern: "/" })], destination: "/b" }],
  ["wildcards stay", "COPY a*.[ch] /b/", { sources: [expect.objectContaining({ pattern: "/a*.[ch]" })] }],
  ["a bracket that stands for itself", "COPY [[]a /b/", { sources: [expect.objectContaining({ pattern: "/[[]a" })] }],
  ["to where we are", "WORKDIR /\nCOPY a .", { destination: "/" }],
  ["to an unset place", "COPY a $NOBODY", { destination: "/" }],
  ["a folder by its slash", "COPY a b/", { destination: "/b/" }],
  ["dots are of the text", "COPY a /x/./y/../../b/.", { destination: "/b/" }],
  ["a folder by its dot", "COPY a /b/.", { destination: "/b/" }],
  [
    "inline files",
    "ENV V=v\nCOPY <<A <<'B' /c/\n$V 'x' \"$V\"\nA\n$V\nB",
    {
      sources: [
        { kind: "inline", file: { name: "A", content: "v 'x' \"v\"\n" } },
        { kind: "inline", file: { name: "B", content: "$V\n" } },
      ],
    },
  ],
  [
    "with its parents",
    "COPY --parents a/./b/c x/y /d/",
    {
      sources: [
        expect.objectContaining({ pattern: "/a", keep: "b/c" }),
        expect.objectContaining({ pattern: "/", keep: "x/y" }),
      ],
    },
  ],
  ["symbolic modes", "COPY --chmod=u=rw,go-w a /b", { chmod: "u=rw,go-w" }],
  ["ADD unpacks", "ADD a.tar /b", { kind: "add", sources: [expect.objectContaining({ kind: "path", unpack: true })] }],
  [
    "unless it is told not to",
    "ADD --unpack=false a.tar /b",
    { sources: [expect.objectContaining({ unpack: false })] },
  ],
  [
    "ADD of an address",
    "ADD http://h/a/b.tgz?q#f /b/",
    { sources: [{ kind: "http", url: "http://h/a/b.tgz?q#f", name: "b.tgz", checksum: null, unpack: false }] },
  ],
  ["an address without a name", "ADD http://h/ /b/", { sources: [expect.objectContaining({ name: "__unnamed__" })] }],
  [
    "ADD of a repository",
    "ADD https://h/r.git#v1:sub /b",
    { sources: [{ kind: "git", remote: "https://h/r.git", ref: "v1", folder: "sub", keep_git_dir: false }] },
  ],
  [
    "ADD of a repository by scp's way",
    "ADD --keep-git-dir git@h:r.git /b",
    { sources: [{ kind: "git", remote: "git@h:r.git", ref: "", folder: "", keep_git_dir: true }] },
  ],
  [
    "x.git with a branch is a file",
    "ADD x.git#b /b",
    { sources: [expect.objectContaining({ kind: "path", pattern: "/x.git#b" })] },
  ],
  [
    "a checksum",
    `ADD --checksum=sha256:${"a".repeat(64)} http://h/x /b`,
    { sources: [expect.objectContaining({ checksum: `sha256:${"a".repeat(64)}` })] },
  ],
];

describe("the network that a build is given", () => {
  it.each([
    ["RUN a", "none"],
    ["RUN --network=default a", "none"],
    ["RUN --network=host a", "host"],
  ])("is that of each RUN that names none: %s", (instruction, network) => {
    const { steps } = lastOf(`FROM base\n${instruction}`, { network: "none" });
    expect(steps).toMatchObject([{ network }]);
  });
});

describe("steps", () => {
  it.each(RUNS)("RUN: %s", (_, instructions, expected) => expect(first(instructions)).toMatchObject(expected));
  it.each(COPIES)("COPY and ADD: %s", (_, instructions, expected) =>
    expect(first(instructions)).toMatchObject(expected),
  );

  it("WORKDIR is made by the user of that moment", () => {
    expect(first("USER joe\nWORKDIR a")).toMatchObject({ kind: "workdir", path: "/a", user: "joe" });
  });

  it.each([
    ["COPY http://h/x /b", "source can't be a URL for COPY"],
    ["COPY https://h/r.git /b", "source can't be a git ref for COPY"],
    ["COPY --chmod=9 a /b", "invalid chmod parameter: '9'. it should be octal string and between 0 and 07777"],
    ["COPY --chmod=10000 a /b", "invalid chmod parameter: '10000'"],
    ["COPY --chmod=u a /b", "invalid chmod parameter: 'u'"],
    ["ADD --checksum=sha256:0 http://h/x /b", "invalid checksum digest format: sha256:0"],
    [`ADD --checksum=sha256:${"a".repeat(64)} a /b`, "checksum can't be specified for non-HTTP(S) sources"],
    [
      `ADD --checksum=sha256:${"a".repeat(64)} http://h/x http://h/y /b/`,
      "checksum can't be specified for multiple sources",
    ],
    ["RUN --mount=target=/ a", 'invalid mount target "/"'],
    ["RUN --mount=type=cache a", 'invalid mount target ""'],
    ["RUN --mount=typ=bind,target=/x a", "unexpected key 'typ'"],
  ])("%s is refused", (instruction, message) => expect(() => first(instruction)).toThrow(message));
});
