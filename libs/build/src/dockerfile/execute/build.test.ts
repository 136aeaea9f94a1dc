import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DockerfileBuilds } from "../../testing/dockerfiles.ts";
import type { DockerfileBuildError } from "./failure.ts";

let builds: DockerfileBuilds;
beforeAll(async () => {
  builds = await DockerfileBuilds.start();
  await builds.shellImage("shell");
  await builds.image("base", {
    etc: null,
    "etc/passwd": "root:x:0:0::/root:/bin/sh\njoe:x:1000:1001::/home/joe:/bin/sh\n",
    "etc/group": "more:x:5:x,joe\n",
  });
});
afterAll(() => builds.close());

/** What is at some paths after a build over the shell. */
async function filesAfter(instructions: string, paths: readonly string[], context = {}): Promise<string[]> {
  const lines = await builds.made(`FROM shell\n${instructions}`, { context });
  return lines.filter((line) => paths.includes(line.split(" ")[0]!));
}
const output = () => builds.events.map((event) => (event.event === "output" ? event.text : "")).join("");

describe("RUN", () => {
  it("writes a layer: files, folders, links, owners, modes", async () => {
    const made = await filesAfter(
      "RUN mkdir -p /n/m && chown 5:6 /n/m && chmod 1777 /n && echo 1 >/n/f && ln /n/f /n/g && ln -s f /n/h",
      ["n", "n/m", "n/f", "n/g", "n/h"],
    );
    expect(made).toEqual([
      "n directory 1777 0:0",
      'n/f file 644 0:0 "1\\n"',
      "n/g hard_link 644 0:0 n/f",
      "n/h symlink 777 0:0 f",
      "n/m directory 755 5:6",
    ]);
  });

  it("removes, and makes anew", async () => {
    const made = await filesAfter(
      "RUN mkdir /z && touch /z/1 /z/2\nRUN rm /z/1\nRUN rm -r /z && mkdir /z && touch /z/3\nCOPY a /z/",
      ["z", "z/1", "z/2", "z/3", "z/a"],
      { a: "A" },
    );
    expect(made.map((line) => line.split(" ")[0])).toEqual(["z", "z/3", "z/a"]);
  });

  it("sees its variables, folder and user", async () => {
    await builds.image("accounts", { etc: null });
    await builds.build(
      "FROM base AS accounts\nFROM shell\nCOPY --from=accounts /etc /etc\nARG A=1\nENV B=2\nWORKDIR /w\nUSER joe\nRUN echo $A $B $HOME $(id -u):$(id -g):$(id -G); ls -d $PWD; touch /w/x || echo no",
    );
    expect(output()).toContain("1 2 /home/joe 1000:1001:1001 5\n/w\n");
    expect(output()).toContain("no\n");
  });

  it("of a number that passwd does not know is in root's group and lives in /", async () => {
    await builds.build("FROM shell\nUSER 4711\nRUN echo $(id -u):$(id -g) $HOME");
    expect(output()).toBe("4711:0 /\n");
  });

  it("that fails says where, with what code, and shows its output", async () => {
    const dockerfile = "FROM shell\n\nRUN echo before; \\\n  exit 7\nRUN never";
    const failure = await builds.build(dockerfile).catch((error: DockerfileBuildError) => error);
    expect(failure).toMatchObject({
      message: 'process "/bin/sh -c echo before;   exit 7" did not complete successfully: exit code: 7',
      ending: { kind: "exit", code: 7 },
      excerpt:
        "Dockerfile:3\n--------------------\n   2 |     \n   3 | >>> RUN echo before; \\\n   4 | >>>   exit 7\n   5 |     RUN never\n--------------------\n",
    });
    expect(output()).toBe("before\n");
    expect(builds.steps).toEqual(["failed [2/3] RUN echo before;   exit 7"]);
  });

  it("runs anew when names are given that its /etc/hosts did not have", async () => {
    const went = async (hosts: readonly string[]) => {
      await builds.build("FROM shell\nRUN : hosts", { hosts });
      return builds.steps.map((step) => step.split(" ")[0]);
    };
    expect([await went([]), await went([]), await went(["192.0.2.7\tdb"]), await went(["192.0.2.7\tdb"])]).toEqual([
      ...[["done"], ["cached"], ["done"], ["cached"]],
    ]);
  });

  it("without anything to run is told so", async () => {
    await expect(builds.build("FROM scratch\nRUN x")).rejects.toThrow("there is nothing to run in an empty stage");
  });
  it.each([
    ["--security=insecure", "no more rights"],
    ["--network=host", "a network of its own"],
  ])("with %s is refused", async (flag, message) => {
    await expect(builds.build(`FROM shell\nRUN ${flag} x`)).rejects.toThrow(message);
  });
});

describe("what was made before", () => {
  const dockerfile = "FROM shell\nCOPY a b /q/\nRUN cat /q/a > /r\nWORKDIR /w";
  const context = { a: "A", b: "B" };
  const old = { type: "file", mode: 0o644, uid: 0, gid: 0, size_bytes: 1 } as const;
  const how = () => builds.steps.map((step) => step.split(" ")[0]);

  it("is used again, whatever the times of files are", async () => {
    const image = await builds.build(dockerfile, { context, noCache: true });
    expect(how()).toEqual(["done", "done", "done"]);
    const dated = {
      a: { ...old, content: Buffer.from("A"), mtime_s: 1 },
      b: { ...old, content: Buffer.from("B"), mtime_s: 2 },
    };
    expect(await builds.build(dockerfile, { context: dated })).toBe(image);
    expect(how()).toEqual(["cached", "cached", "cached"]);
  });

  it("is as old as it is: an image of nothing new is the same image", async () => {
    const words = `${dockerfile}\nENV A=1`;
    const first = await builds.build(words, { context, noCache: true, now: new Date("2027-02-01T00:00:00Z") });
    const later = { context, now: new Date("2027-03-01T00:00:00Z") };
    expect(await builds.build(words, later)).toBe(first);
    const { config } = await builds.store.image(await builds.build(`${words}\nRUN cat /q/b > /s`, later));
    expect(config.history.slice(1).map(({ created }) => created!.slice(0, 10))).toEqual([
      ...["2027-02-01", "2027-02-01", "2027-02-01", "2027-02-01"],
      "2027-03-01",
    ]);
    expect(config.created).toBe("2027-03-01T00:00:00Z");
    const epoch = new Date("2001-01-01T00:00:00Z");
    const dated = (await builds.store.image(await builds.build(words, { ...later, epoch }))).config;
    expect(new Set([dated.created, ...dated.history.slice(1).map((line) => line.created)])).toEqual(
      new Set(["2001-01-01T00:00:00Z"]),
    );
    const only = (await builds.store.image(await builds.build("FROM base\nENV A=1", later))).config;
    expect(only.created).toBe("1970-01-01T00:00:00Z");
    const nothing = (await builds.store.image(await builds.build("FROM scratch\nENV A=1", later))).config;
    expect(nothing.created).toBe("2027-03-01T00:00:00Z");
  });

  it.each([
    ["the content of a file", dockerfile, { a: "X", b: "B" }, ["done", "done", "done"]],
    [
      "the mode of a file",
      dockerfile,
      { a: "A", b: { ...old, content: Buffer.from("B"), mtime_s: 1, mode: 0o600 } },
      ["done", "done", "done"],
    ],
    ["a file that is not copied", dockerfile, { ...context, c: "C" }, ["cached", "cached", "cached"]],
    [
      "blanks, comments and the place of lines",
      "FROM   shell\n# c\n\nCOPY   a  b   /q/\nRUN cat /q/a > /r\nWORKDIR /w",
      context,
      ["cached", "cached", "cached"],
    ],
    [
      "another spelling of the destination",
      dockerfile.replace("/q/\n", "./q/\n"),
      context,
      ["cached", "cached", "cached"],
    ],
    ["blanks in a command", dockerfile.replace("cat /q", "cat  /q"), context, ["cached", "done", "done"]],
    ["the last line", dockerfile.replace("/w", "/v"), context, ["cached", "cached", "done"]],
    ["an ARG that nothing uses", dockerfile.replace("COPY", "ARG z=1\nCOPY"), context, ["cached", "done", "done"]],
  ])("and %s", async (_, changed, files, expected) => {
    await builds.build(dockerfile, { context });
    await builds.build(changed, { context: files });
    expect(how()).toEqual(expected);
  });

  it("is not used when that is not wanted", async () => {
    await builds.build(dockerfile, { context });
    await builds.build(dockerfile, { context, noCache: true });
    expect(how()).toEqual(["done", "done", "done"]);
  });

  it("counts as not made when its bytes are gone", async () => {
    const { manifest } = await builds.store.image(await builds.build(dockerfile, { context }));
    await builds.store.blobs.remove(manifest.layers.at(-3)!.digest, null);
    await builds.build(dockerfile, { context });
    expect(how()[0]).toBe("done");
  });

  it("believes no image that says its layers are another's", async () => {
    const good = await builds.store.image(await builds.image("good", { d: null, other: null }));
    const evil = await builds.store.image(await builds.image("evil", { d: "-> /other", other: null }));
    const { digest, size: size_bytes, mediaType } = evil.manifest.layers[0]!;
    const layer = { digest, size_bytes, diff_id: good.config.rootfs.diff_ids[0]!, media_type: mediaType as never };
    const lie = { base: null, layers: [layer], config: {}, history: ["a lie"], created: new Date(0) };
    await builds.store.tag("lie", await builds.store.createImage(lie));
    const copy = (from: string) => `FROM ${from}\nCOPY f /d/`;
    const files = { context: { f: "f" } };
    await builds.build(copy("lie"), files);
    expect(await builds.made(copy("good"), files, { d: null, other: null })).toEqual(['d/f file 644 0:0 "f"']);
    // The same command over both: what was made over the one is not found for the other.
    const make = (from: string) => `FROM ${from}\nWORKDIR /d/new`;
    await builds.build(make("lie"), files);
    await builds.build(make("good"), files);
    expect(how()).toEqual(["done"]);
  });

  it("can be forgotten", async () => {
    await builds.build(dockerfile, { context });
    const past = new Date(0);
    expect(await builds.cache.prune({ unusedSince: past, mostBytes: 2 ** 40 })).toEqual({ count: 0, freed_bytes: 0 });
    expect((await builds.cache.prune({ unusedSince: past, mostBytes: 4096 })).count).toBeGreaterThan(1);
    const later = new Date(Date.now() + 60_000);
    expect((await builds.cache.prune({ unusedSince: later, mostBytes: 2 ** 40 })).count).toBeGreaterThan(0);
    await builds.build(dockerfile, { context });
    expect(how()).toEqual(["done", "done", "done"]);
  });
});

describe("stages", () => {
  it("are built side by side, those that are not needed not at all", async () => {
    const dockerfile =
      "FROM shell AS a\nRUN echo a > /a\nFROM shell AS b\nRUN echo b > /b\nFROM shell AS no\nRUN exit 1\nFROM scratch\nCOPY --from=a /a /\nCOPY --from=b /b /";
    expect(await builds.made(dockerfile, { noCache: true })).toEqual([
      'a file 644 0:0 "a\\n"',
      'b file 644 0:0 "b\\n"',
    ]);
    const order = builds.events.flatMap((event) =>
      "title" in event ? [`${event.event} ${event.title.slice(0, 3)}`] : [],
    );
    expect(order.slice(0, 2)).toEqual(["started [a ", "started [b "]);
  });

  it("a failure ends the others, and the first is told", async () => {
    const dockerfile =
      "FROM shell AS a\nRUN exit 3\nFROM shell AS b\nRUN while :; do :; done\nFROM scratch\nCOPY --from=a /a /\nCOPY --from=b /b /";
    await expect(builds.build(dockerfile)).rejects.toThrow("exit code: 3");
  });

  it("a build that is cancelled ends", async () => {
    const stop = new AbortController();
    const building = builds.build("FROM shell\nRUN while :; do :; done", { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 300);
    await expect(building).rejects.toThrow("enough");
  });

  it("a build that is cancelled while it copies writes no layer", async () => {
    const stop = new AbortController();
    const files = Object.fromEntries([..."abcdefgh"].map((name) => [name, randomBytes(8 << 20).toString("latin1")]));
    const building = builds.build("FROM scratch\nCOPY [a-h] /", { context: files, signal: stop.signal });
    const layers = () => readdirSync(join(builds.dir, "store/blobs/sha256")).length;
    while (!builds.events.some(({ event }) => event === "started")) await sleep(1);
    const before = layers();
    stop.abort(new Error("enough"));
    await expect(building).rejects.toThrow("enough");
    expect([layers(), readdirSync(join(builds.dir, "store/tmp"))]).toEqual([before, []]);
  });

  it("the image has config, history, and as many layers as lines that are not empty", async () => {
    const dockerfile =
      'FROM base AS one\nENV A=1\nCOPY a /a\nFROM one\nLABEL x=y\nMAINTAINER me\nCMD ["c"]\nWORKDIR /w';
    const { config, manifest } = await builds.store.image(await builds.build(dockerfile, { context: { a: "A" } }));
    expect(
      config.history.map(({ created_by, empty_layer, comment }) => [created_by, empty_layer ?? false, comment]),
    ).toEqual([
      ["made", false, undefined],
      ["ENV A=1", true, "buildkit.dockerfile.v0"],
      ["COPY a /a # buildkit", false, "buildkit.dockerfile.v0"],
      ["LABEL x=y", true, "buildkit.dockerfile.v0"],
      ["MAINTAINER me", true, "buildkit.dockerfile.v0"],
      ['CMD ["c"]', true, "buildkit.dockerfile.v0"],
      ["WORKDIR /w", false, "buildkit.dockerfile.v0"],
    ]);
    expect(manifest.layers).toHaveLength(3);
    expect(config).toMatchObject({ author: "me", created: "2027-01-15T08:00:00Z" });
    expect(config.config).toEqual({
      ArgsEscaped: true,
      Cmd: ["c"],
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=1"],
      Labels: { x: "y" },
      WorkingDir: "/w",
    });
  });
});

it("warnings and build arguments that nothing asked for are told", async () => {
  await builds.build("FROM base as x\nCOPY a /a", { context: { a: "A" }, args: { y: "1" } });
  expect(builds.events.slice(0, 2)).toEqual([
    { event: "warning", warning: expect.objectContaining({ rule: "FromAsCasing" }) },
    { event: "unused_args", names: ["y"] },
  ]);
});
