import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, lutimesSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openContext } from "./context.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mayfly-cli-context-"));
  mkdirSync(join(dir, "project"));
  writeFileSync(join(dir, "project/Dockerfile"), "FROM scratch\nCOPY . /\n");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const put = (path: string, content = "x") => writeFileSync(join(dir, path), content);
const none = () => Readable.from([]);

/** What GNU tar lists of a folder that is sent. */
async function sent(file?: string, stdin: Readable = none()): Promise<string[]> {
  const { body } = await openContext(join(dir, "project"), file, stdin);
  const args = ["--utc", "--full-time", "-tvzf", "-"];
  const listed = execFileSync("tar", args, { input: await buffer(body), encoding: "utf8" });
  return listed
    .trim()
    .split("\n")
    .map((line) => line.replace(/ +/g, " "));
}
const names = (lines: readonly string[]) => lines.map((line) => line.split(" ")[5]);

describe("a folder as a context", () => {
  it("is sent as it is: modes, times before 1970 and after 2038, names of one file, links, fifos", async () => {
    mkdirSync(join(dir, "project/d"));
    for (const name of ["none", "setuid", "d/old", "far"]) put(`project/${name}`);
    linkSync(join(dir, "project/far"), join(dir, "project/more"));
    symlinkSync("nowhere", join(dir, "project/link"));
    execFileSync("mkfifo", ["-m", "0600", join(dir, "project/pipe")]);
    chmodSync(join(dir, "project/none"), 0);
    chmodSync(join(dir, "project/setuid"), 0o4755);
    chmodSync(join(dir, "project/d"), 0o1777);
    for (const name of ["none", "setuid", "link", "pipe", "d"]) lutimesSync(join(dir, "project", name), 1.9, 1.9);
    const old = new Date(-100_000); // Of a negative number Node makes the time it is.
    lutimesSync(join(dir, "project/d/old"), old, old);
    lutimesSync(join(dir, "project/far"), 2 ** 31 + 5, 2 ** 31 + 5);
    lutimesSync(join(dir, "project/Dockerfile"), 1, 1);
    expect(await sent()).toEqual([
      "-rw-r--r-- 0/0 22 1970-01-01 00:00:01 Dockerfile",
      "drwxrwxrwt 0/0 0 1970-01-01 00:00:01 d",
      "-rw-r--r-- 0/0 1 1969-12-31 23:58:20 d/old",
      "-rw-r--r-- 0/0 1 2038-01-19 03:14:13 far",
      "lrwxrwxrwx 0/0 0 1970-01-01 00:00:01 link -> nowhere",
      "hrw-r--r-- 0/0 0 2038-01-19 03:14:13 more link to far",
      "---------- 0/0 1 1970-01-01 00:00:01 none",
      "prw------- 0/0 0 1970-01-01 00:00:01 pipe",
      "-rwsr-xr-x 0/0 1 1970-01-01 00:00:01 setuid",
    ]);
  });

  it("is compressed on its way to another host, and not to this one, whose processor has better things to do", async () => {
    put("project/zeros", "0".repeat(1_000_000));
    const size = async (near: boolean) =>
      (await buffer((await openContext(join(dir, "project"), undefined, none(), near)).body)).byteLength;
    expect([(await size(false)) < 50_000, (await size(true)) > 1_000_000]).toEqual([true, true]);
  });

  it("of which another name is left out keeps the one that is sent", async () => {
    put("project/a");
    linkSync(join(dir, "project/a"), join(dir, "project/b"));
    put("project/.dockerignore", "a\n");
    expect((await sent()).filter((line) => / [ab]$/.test(line))).toEqual([expect.stringMatching(/^-.* 1 .* b$/)]);
  });

  it("has the modes and times of folders that are left out but for something in them", async () => {
    mkdirSync(join(dir, "project/d/e"), { recursive: true });
    for (const name of ["a", "d/b", "d/e/c"]) put(`project/${name}`);
    put("project/.dockerignore", "*\n!d/e/c\n");
    for (const name of ["d", "d/e"]) {
      chmodSync(join(dir, "project", name), 0o711);
      lutimesSync(join(dir, "project", name), 1, 1);
    }
    const lines = (await sent()).filter((line) => / d/.test(line));
    expect(lines.map((line) => line.replace(/^(\S+).* (\S+ \S+ \S+)$/, "$1 $2"))).toEqual([
      "drwx--x--x 1970-01-01 00:00:01 d",
      "drwx--x--x 1970-01-01 00:00:01 d/e",
      expect.stringContaining("d/e/c"),
    ]);
  });

  it("has the rules beside its Dockerfile, wherever that lies, else its own", async () => {
    for (const name of ["a", "b", "c"]) put(`project/${name}`);
    put("project/.dockerignore", "a\n");
    put("project/Other", "FROM scratch\n");
    put("project/Other.dockerignore", "b\n");
    put("Elsewhere", "FROM scratch\n");
    const left = async (file?: string, stdin?: Readable) => {
      const found = names(await sent(file, stdin));
      return ["a", "b", "c"].filter((name) => !found.includes(name));
    };
    expect(await left()).toEqual(["a"]);
    expect(await left(join(dir, "project/Other"))).toEqual(["b"]);
    expect(await left(join(dir, "Elsewhere"))).toEqual(["a"]);
    expect(await left("-", Readable.from(["FROM scratch\n"]))).toEqual(["a"]);
    put("Elsewhere.dockerignore", "c\n");
    expect(await left(join(dir, "Elsewhere"))).toEqual(["c"]);
  });

  it.each<[{ where?: string; file?: string }, string]>([
    [{ where: "nothing" }, "is no folder"],
    [{ file: "project/nothing" }, "there is no Dockerfile at"],
    [{ where: "-", file: "-" }, "not both"],
    [{ where: "-" }, "standard input is empty"],
    [{ where: "git@host.test:a.git" }, "over http and https"],
    [{ where: "https://host.test/a.git", file: "-" }, "needs a folder"],
  ])("%j is refused", async ({ where = "project", file }, message) => {
    const at = ["project", "nothing"].includes(where) ? join(dir, where) : where;
    const dockerfile = file === undefined || file === "-" ? file : join(dir, file);
    await expect(openContext(at, dockerfile, none())).rejects.toThrow(message);
  });

  it("that is a file is refused with how to give that", async () => {
    execFileSync("tar", ["-C", join(dir, "project"), "-cf", join(dir, "context.tar"), "."]);
    const refused = (where: string) => openContext(join(dir, where), undefined, none());
    await expect(refused("project/Dockerfile")).rejects.toMatchObject({
      message: expect.stringContaining("is no folder"),
      hint: expect.stringMatching(/mayfly build -f \S+\/project\/Dockerfile \S+\/project$/),
    });
    await expect(refused("context.tar")).rejects.toMatchObject({ hint: expect.stringContaining("mayfly build - < ") });
  });

  it("whose rules are none is refused by their file and line", async () => {
    put("project/.dockerignore", "a\n[\n");
    await expect(openContext(join(dir, "project"), undefined, none())).rejects.toThrow(
      /project\/\.dockerignore: .*\[/s,
    );
  });
});

describe("standard input", () => {
  it.each([
    ["FROM scratch\n", "text/x-dockerfile"],
    ["# a comment\nFROM scratch\n", "text/x-dockerfile"],
  ])("%j is a Dockerfile", async (text, type) => {
    const context = await openContext("-", undefined, Readable.from([Buffer.from(text)]));
    expect([context.type, context.dockerfile, String(await buffer(context.body))]).toEqual([type, null, text]);
  });

  it.each([
    ["-cJf", "compressed with xz"],
    ["-cjf", "compressed with bzip2"],
  ])("that is a tar that nobody reads (%s) is refused here", async (how, why) => {
    const tar = execFileSync("tar", ["-C", join(dir, "project"), how, "-", "."]);
    await expect(openContext("-", undefined, Readable.from([tar]))).rejects.toThrow(`standard input is ${why}`);
  });

  it("that has a Dockerfile and a name of one is ambiguous", async () => {
    const stdin = Readable.from([Buffer.from("FROM scratch\n")]);
    await expect(openContext("-", "Other", stdin)).rejects.toThrow("ambiguous Dockerfile source");
  });

  it.each([
    ["-cf", "application/x-tar"],
    ["-czf", "application/gzip"],
  ])("that is a tar (%s) is a context, and -f a path in it", async (how, type) => {
    const tar = execFileSync("tar", ["-C", join(dir, "project"), how, "-", "."]);
    const context = await openContext("-", "sub/Other", Readable.from([tar]));
    expect([context.type, context.dockerfile]).toEqual([type, "sub/Other"]);
    expect(await buffer(context.body)).toEqual(tar);
  });
});
