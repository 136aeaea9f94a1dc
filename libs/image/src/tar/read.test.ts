import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { archive, inChunks, member } from "../testing/archive.ts";
import { temporaryDirectory } from "../testing/temporary.ts";
import { parseNumber } from "./number.ts";
import { formatPax, formatTime, parsePax, parseTime } from "./pax.ts";
import { readTar } from "./read.ts";

async function membersOf(bytes: Buffer, cut = 65_536) {
  const found = [];
  for await (const { stored, name, linkname, pax: _, ...rest } of readTar(inChunks(bytes, cut))) {
    const content = Buffer.concat(await Array.fromAsync(stored()));
    found.push({ ...rest, name: name.toString(), linkname: linkname.toString(), content });
  }
  return found;
}

/** What GNU tar writes after a shell script has made files in an empty folder. */
async function gnuTar(script: string, ...options: string[]): Promise<Buffer> {
  const cwd = await temporaryDirectory();
  execFileSync("sh", ["-ec", script], { cwd });
  return execFileSync("tar", ["--sort=name", ...options, "-c", "."], { cwd, maxBuffer: 64 * 1024 * 1024 });
}

const LONG = `${"l".repeat(90)}/`.repeat(3);

describe("reading a tar", () => {
  it.each(["v7", "oldgnu", "gnu", "ustar", "posix"])("reads %s as GNU tar writes it", async (format) => {
    const script = "mkdir d; echo hi > d/f; chmod 4751 d/f; ln -s f d/s; ln d/f d/h; touch -d @1600000000 d/f";
    const found = await membersOf(await gnuTar(script, `--format=${format}`, "--owner=x:7", "--group=y:8"), 777);
    expect(found.map(({ type, name, linkname }) => [type, name, linkname])).toEqual([
      ["5", "./", ""],
      ["5", "./d/", ""],
      ["0", "./d/f", ""],
      ["1", "./d/h", "./d/f"],
      ["2", "./d/s", "f"],
    ]);
    expect(found[2]).toMatchObject({ mode: 0o4751, uid: 7, gid: 8, mtime_s: 1_600_000_000, size_bytes: 3 });
    expect(found[2]!.content.toString()).toBe("hi\n");
  });

  it.each(["oldgnu", "gnu", "posix"])("reads names and targets of any length in %s", async (format) => {
    const script = `mkdir -p ${LONG}; echo 1 > ${LONG}f; ln -s ${LONG}f s`;
    const found = await membersOf(await gnuTar(script, `--format=${format}`));
    expect(found.map(({ name }) => name)).toContain(`./${LONG}f`);
    expect(found.find(({ type }) => type === "2")!.linkname).toBe(`${LONG}f`);
  });

  it("reads the prefix of ustar", async () => {
    const found = await membersOf(
      await gnuTar(`mkdir -p ${LONG.slice(0, 182)}; echo 1 > ${LONG.slice(0, 182)}f`, "--format=ustar"),
    );
    expect(found.at(-1)!.name).toBe(`./${LONG.slice(0, 182)}f`);
  });

  it.each(["gnu", "posix"])("reads owners, times and devices beyond the old fields in %s", async (format) => {
    const script = "touch -d 1930-01-01T00:00:00Z a; touch -d 2300-01-01T00:00:00Z b; mknod n b 259 300000; mkfifo p";
    const found = await membersOf(
      await gnuTar(script, `--format=${format}`, "--owner=x:4000000000", "--group=y:3000000"),
    );
    expect(found[1]).toMatchObject({ mtime_s: -1_262_304_000, uid: 4_000_000_000, gid: 3_000_000 });
    expect(found[2]).toMatchObject({ mtime_s: 10_413_792_000 });
    expect(found[3]).toMatchObject({ type: "4", major: 259, minor: 300_000 });
    expect(found[4]).toMatchObject({ type: "6" });
  });

  it("reads nanoseconds", async () => {
    const found = await membersOf(await gnuTar("touch -d 2020-01-01T00:00:00.123456789Z a", "--format=posix"));
    expect(found[1]).toMatchObject({ mtime_s: 1_577_836_800, mtime_ns: 123_456_789 });
  });

  it.each([
    ["GNU's old format", ["--format=gnu"]],
    ["0.0", ["--format=posix", "--sparse-version=0.0"]],
    ["0.1", ["--format=posix", "--sparse-version=0.1"]],
    ["1.0", ["--format=posix", "--sparse-version=1.0"]],
  ])("reads files with holes in %s", async (_, options) => {
    const script = `truncate -s 900K a
      for i in $(seq 30); do printf "piece $i" | dd of=a bs=1 seek=$((i * 28672)) conv=notrunc status=none; done
      truncate -s 1M empty; echo after > z`;
    const bytes = await gnuTar(script, "-S", ...options);
    const found = await membersOf(bytes, 4000);
    const [, a, empty, z] = found;
    expect([a!.name, a!.size_bytes, empty!.name, empty!.size_bytes]).toEqual(["./a", 921_600, "./empty", 1_048_576]);
    expect(z!.content.toString()).toBe("after\n");
    expect(empty!.content).toHaveLength(0);
    const whole = Buffer.alloc(921_600);
    let at = 0;
    for (const { offset, length } of a!.segments) {
      a!.content.copy(whole, offset, at, at + length);
      at += length;
    }
    for (let i = 1; i <= 30; i++)
      expect(whole.toString("latin1", i * 28_672, i * 28_672 + 8)).toMatch(new RegExp(`^piece ${i}`));
    expect(whole.filter((byte) => byte !== 0)).toHaveLength(9 * 7 + 21 * 8);
  });

  it.each<[string, Record<string, string>, string]>([
    ["overlap", { "GNU.sparse.map": "0,5,3,5" }, "1234567890"],
    ["lie behind the end", { "GNU.sparse.map": "95,10" }, "1234567890"],
    ["are more than is stored", { "GNU.sparse.map": "0,20" }, "1234567890"],
    ["are no numbers", { "GNU.sparse.map": "0,-1" }, ""],
    ["are cut", { "GNU.sparse.map": "0" }, ""],
    ["are too large to count", { "GNU.sparse.map": "9007199254740991,1" }, "1"],
    [
      "are announced without an end",
      { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9" },
      "99999999\n0\n",
    ],
  ])("refuses holes that %s", async (_, map, content) => {
    const pax = { "GNU.sparse.size": "100", ...map };
    await expect(membersOf(archive(member("0", "a", "", { pax, content })))).rejects.toMatchObject({
      reason: "corrupt",
    });
  });

  it("skips global headers and volume labels, and does not let them rename what follows", async () => {
    const global = formatPax(new Map([["path", Buffer.from("evil")]]));
    const bytes = archive(
      member("g", "pax_global_header", "", { content: global }),
      member("V", "label"),
      member("0", "a"),
    );
    expect((await membersOf(bytes)).map(({ name }) => name)).toEqual(["a"]);
  });

  it("ends at two blocks of zeros, and reads on to the end of what it was given", async () => {
    let read = 0;
    const bytes = Buffer.concat([archive(member("0", "a")), Buffer.alloc(100_000, "trailing")]);
    const counted = async function* () {
      for await (const chunk of inChunks(bytes, 1000)) {
        read += chunk.byteLength;
        yield chunk;
      }
    };
    const names = [];
    for await (const { name } of readTar(counted())) names.push(name.toString());
    expect([names, read]).toEqual([["a"], bytes.byteLength]);
  });

  it("ends without blocks of zeros too, but not with one of them", async () => {
    expect(await membersOf(member("0", "a"))).toHaveLength(1);
    await expect(membersOf(Buffer.concat([Buffer.alloc(512), archive(member("0", "a"))]))).rejects.toThrow(
      "behind its end",
    );
  });

  it("takes a link and a folder for empty, whatever size they say", async () => {
    const bytes = archive(member("2", "l", "x", { size: 100 }), member("5", "d", "", { size: 512 }), member("0", "a"));
    expect((await membersOf(bytes)).map(({ name }) => name)).toEqual(["l", "d", "a"]);
  });
});

describe("a number in a header", () => {
  it.each([
    ["0000644\0", 420],
    ["   644 \0", 420],
    ["\0\0\0\0\0\0\0\0", 0],
    ["77777777", 0o77777777],
    ["\x80\0\0\0\0\x2d\xc6\xc0", 3_000_000],
    ["\xff\xff\xff\xff\xff\xff\xff\xfe", -2],
  ])("%j is %d", (field, value) => {
    expect(parseNumber(Buffer.from(field, "latin1"))).toBe(value);
  });

  it.each(["0000648\0", "-1      ", "0x10    ", "\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"])(
    "%j is none",
    (field) => {
      expect(() => parseNumber(Buffer.from(field, "latin1"))).toThrow(expect.objectContaining({ reason: "corrupt" }));
    },
  );
});

describe("a PAX header", () => {
  it.each([
    ["1.5", 1, 500_000_000],
    ["-1.5", -2, 500_000_000],
    ["-1", -1, 0],
    ["1350244992.023960108", 1_350_244_992, 23_960_108],
    ["0.0000000019", 0, 1],
  ])("reads the time %s", (text, s, ns) => {
    expect(parseTime(text)).toEqual({ s, ns });
    if (text.length < 25 && !text.endsWith("19")) expect(formatTime(s, ns)).toBe(text);
  });

  it("counts the digits of its own length", () => {
    for (const length of [1, 90, 91, 92, 93, 94, 988, 989, 990, 991, 9985]) {
      const value = Buffer.alloc(length, "x");
      const bytes = formatPax(new Map([["k", value]]));
      expect(Number(bytes.toString().split(" ")[0])).toBe(bytes.byteLength);
      expect(parsePax(bytes)).toEqual(new Map([["k", value]]));
    }
  });

  it.each(["5 a=b\n", "6 a=bb", "x a=b\n", "6 =bb\n", "3 a\n", "99 a=b\n", "0 a=b\n", "6a=bb\n", " 6 a=b\n"])(
    "refuses %j",
    (text) => {
      expect(() => parsePax(Buffer.from(text))).toThrow(expect.objectContaining({ reason: "corrupt" }));
    },
  );
});
