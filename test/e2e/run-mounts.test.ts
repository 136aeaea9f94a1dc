import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shellRoot } from "../../libs/build/src/testing/shell-root.ts";
import { type System, startSystem } from "./system.ts";

let mayfly: System;
beforeAll(async () => {
  mayfly = await startSystem();
  const body = new Uint8Array(shellRoot());
  const made = await mayfly.api("/v1/images/shell:1/rootfs", { method: "PUT", body });
  expect(made.status, await made.text()).toBe(200);
}, 300_000);
afterAll(() => mayfly?.stop(), 60_000);

interface Built {
  readonly status: number;
  readonly image: string;
  readonly usage: Record<string, number>;
  /** What its programs printed, line by line; of one that failed, the tail. */
  readonly lines: string[];
  readonly problem: { readonly detail: string };
}

/** A build of a Dockerfile alone. */
async function build(instructions: string[], query = "", secrets: Record<string, string | Blob> = {}): Promise<Built> {
  const form = new FormData();
  for (const [id, value] of Object.entries(secrets)) form.set(`secret.${id}`, value);
  form.set("source", new Blob([`${instructions.join("\n")}\n`]), "Dockerfile");
  const answer = await mayfly.api(`/v1/builds?wait=60&${query}`, { method: "POST", body: form });
  const body = (await answer.json()) as Built & { build?: string; id?: string; log_tail?: { msg?: string }[] };
  const log = await (await mayfly.api(`/v1/builds/${body.id ?? body.build}/log`)).text();
  const records = log
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const lines = records.filter(({ stream }) => stream).map(({ msg }) => msg);
  return { ...body, status: answer.status, lines, problem: body as never };
}

/** Names in an image that the shell's own root has not. */
async function made(image: string): Promise<string[]> {
  const names = async (reference: string) => {
    const tar = Buffer.from(await (await mayfly.api(`/v1/images/${reference}/rootfs`)).arrayBuffer());
    return execFileSync("tar", ["-t"], { input: tar, maxBuffer: 1 << 28, encoding: "utf8" }).split("\n");
  };
  const below = new Set(await names("shell:1"));
  return (await names(image)).filter((name) => !below.has(name));
}

const done = async (...args: Parameters<typeof build>): Promise<Built> => {
  const built = await build(...args);
  expect(built.status, JSON.stringify(built)).toBe(200);
  return built;
};

describe("a RUN with mounts", () => {
  it("sees files of a stage, and leaves nothing of them or of what it wrote there", async () => {
    const { image, lines } = await done([
      "FROM shell:1 AS made",
      "RUN mkdir /made && echo hello > /made/file && chown 7:8 /made/file && ln -s /made /way",
      "FROM shell:1",
      "RUN --mount=from=made,source=/way,target=/in/made cat /in/made/file && stat -c %u:%g /in/made/file && ! touch /in/made/x",
      "RUN --mount=from=made,source=made,target=/in,rw echo more > /in/file && touch /in/new && ls /in",
      "RUN --mount=from=made,source=made/file,target=/etc/one cat /etc/one && echo of the program > /kept",
    ]);
    expect(lines).toEqual([
      ...["hello", "7:8", expect.stringContaining("Read-only file system"), "file", "new", "hello"],
    ]);
    expect(await made(image)).toEqual(["kept"]);
  });

  it("finds its cache again in later builds, by whoever it runs as, and no image has it", async () => {
    const step = (n: number, options = "") =>
      `RUN --mount=type=cache,target=/var/cache/x${options} ls -n /var/cache/x && touch /var/cache/x/${n} && chown 9:9 /var/cache/x/${n}`;
    expect((await done(["FROM shell:1", step(1)])).lines).toEqual(["total 0"]);
    const second = await done(["FROM shell:1", step(2, ",sharing=locked")], "no-cache=true");
    expect(second.lines).toEqual(["total 0", expect.stringMatching(/^-rw-r--r-- 1 9 9 0 .* 1$/)]);
    expect(await made(second.image)).toEqual([]);
    // Another id is another cache; one with a base begins as that, and keeps what was written over it.
    const based =
      "RUN --mount=type=cache,id=b,from=base,source=/d,target=/d,mode=700 cat /d/f; echo new > /d/f; touch /d/g";
    const base = ["FROM shell:1 AS base", "RUN mkdir /d && echo old > /d/f", "FROM shell:1", based];
    expect((await done(base)).lines).toEqual(["old"]);
    expect((await done(base, "no-cache=true")).lines).toEqual(["old"]); // Anew is another base: what no-cache makes is younger.
    expect((await done([...base, "RUN true"], "build-arg.X=1")).lines).toEqual([]);
  });

  it("has memory of the size that it asks for, and its caches within each other", async () => {
    const { image } = await done([
      "FROM shell:1",
      "RUN --mount=type=tmpfs,target=/t,size=1m --mount=type=cache,target=/t/deep/cache echo x > /t/deep/cache/y && echo x > /t/z",
    ]);
    expect(await made(image)).toEqual([]);
  });

  it("reads secrets that no image, no history, no log and no file of ours keeps", async () => {
    const token = "hunter2-of-the-test";
    const text = [
      "FROM shell:1",
      "RUN --mount=type=secret,id=token,required stat -c '%a %u:%g' /run/secrets/token && cat /run/secrets/token > /dev/null",
      "RUN --mount=type=secret,id=token,target=/s,uid=5,gid=6,mode=440 stat -c '%a %u:%g' /s && ! touch /s",
      'RUN --mount=type=secret,id=token,env=TOKEN [ "$TOKEN" = hunter2-of-the-test ] && [ ! -e /run/secrets/token ]',
      "RUN --mount=type=secret,id=other [ -e /run/secrets/other ] || echo there is none",
    ];
    const { image, lines } = await done(
      text.map((line) => line.replace("hunter2-of-the-test", "$(echo hunter2)-of-the-test")),
      "",
      { token },
    );
    expect(lines).toEqual([...["400 0:0", "440 5:6", expect.stringContaining("Read-only")], "there is none"]);
    expect(await made(image)).toEqual([]);
    const again = await done(text.slice(0, 2), "", { token: "another" });
    expect(again.lines, "a secret is part of no key").toEqual([]);
    // grep finds nothing, and says so.
    expect(spawnSync("grep", ["-rlF", token, mayfly.home], { encoding: "utf8" })).toMatchObject({
      status: 1,
      stdout: "",
    });
    expect(mayfly.output()).not.toContain(token);
    const missing = await build(text.slice(0, 2), "no-cache=true");
    expect([missing.status, missing.problem.detail]).toEqual([422, "secret token: not found"]);
  });
});

describe("a build", () => {
  it("tells what its programs used, and what that costs", async () => {
    const burn = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; cat /bin/sh /bin/sh /bin/sh > /f";
    const { usage, bill } = (await done(["FROM shell:1", `RUN ${burn}`])) as Built & {
      bill: { total: { amount: string } };
    };
    expect(usage.cpu_us).toBeGreaterThan(50_000);
    expect(usage.wall_us).toBeGreaterThan(50_000);
    expect(usage.disk_bytes).toBeGreaterThan(200_000);
    expect(usage.memory_peak_bytes).toBeGreaterThan(0);
    expect(Number(bill.total.amount)).toBeGreaterThan(0);
  });

  it("that is canceled while its program runs leaves no box and no folder, and has its usage", async () => {
    const form = new FormData();
    form.set("source", new Blob(["FROM shell:1\nRUN touch /x && sleep 60\n"]), "Dockerfile");
    const begun = await mayfly.api("/v1/builds", { method: "POST", body: form });
    const { id } = ((await begun.json()) as { build: { id: string } }).build;
    const scratch = join(mayfly.home, "boxes", "scratch");
    const running = () => {
      try {
        const groups = readdirSync("/sys/fs/cgroup", { recursive: true, encoding: "utf8" });
        return groups.filter((path) => path.includes(`${id}-run`));
      } catch {
        return ["one that went while we looked"];
      }
    };
    await until(() => running().length > 0 && readdirSync(scratch).length > 0);
    const answer = await mayfly.api(`/v1/builds/${id}`, { method: "DELETE" });
    expect(await answer.json()).toMatchObject({ status: "canceled" });
    await until(() => running().length === 0 && readdirSync(scratch).length === 0);
    let shown: { status: string; usage: { wall_us: number } | null } | null = null;
    await until(async () => {
      shown = (await (await mayfly.api(`/v1/builds/${id}`)).json()) as typeof shown;
      return shown!.usage !== null;
    });
    expect(shown).toMatchObject({ status: "canceled", usage: { wall_us: expect.any(Number) } });
  });

  it("keeps owners above 65535 as they are; a program sees nobody there, and cannot give files to them", async () => {
    const owned = ["FROM shell:1", "COPY --chown=100000:2000000000 <<x /f", "hello", "x"];
    const { image, lines } = await done([...owned, "RUN stat -c '%u %g' /f && cat /f"]);
    expect(lines).toEqual(["65534 65534", "hello"]);
    const input = Buffer.from(await (await mayfly.api(`/v1/images/${image}/rootfs`)).arrayBuffer());
    const shown = execFileSync("tar", ["--numeric-owner", "-tv", "f"], { input, encoding: "utf8", maxBuffer: 1 << 28 });
    expect(shown).toContain("100000/2000000000");
    const given = await build(["FROM shell:1", "RUN touch /g && chown 100000 /g"]);
    expect([given.status, given.lines.join(" ")]).toEqual([422, expect.stringContaining("Invalid argument")]);
    const run = await build(["FROM shell:1", "USER 100000", "RUN ls"]);
    expect(run.problem.detail).toContain("nothing can run as 100000");
  });

  it("is forgotten on demand, with what its caches hold", async () => {
    const made = ["FROM shell:1", "RUN --mount=type=cache,target=/c ls /c && touch /c/mark && echo made"];
    expect((await done(made, "no-cache=true")).lines).toEqual(["made"]);
    expect((await done(made)).lines).toEqual([]);
    const pruned = await mayfly.api("/v1/builds/cache", { method: "DELETE" });
    expect(await pruned.json()).toMatchObject({ steps: expect.any(Number), mounts: expect.any(Number) });
    expect((await done(made)).lines, "without the mark of before").toEqual(["made"]);
  });

  it("knows its bounds, and what it cannot do", async () => {
    const { build: bounds } = (await (await mayfly.api("/v1/limits")).json()) as { build: Record<string, unknown> };
    expect(bounds).toMatchObject({ timeout_ms: 3_600_000, run: { memory_bytes: 2 ** 31, timeout_ms: 1_800_000 } });
    for (const [option, said] of [
      ["--network=host", "--network=host is not possible"],
      ["--security=insecure", "--security=insecure is not possible"],
      ["--mount=type=ssh", "type=ssh is not possible"],
    ]) {
      const { status, problem } = await build(["FROM shell:1", `RUN ${option} ls`]);
      expect([status, problem.detail]).toEqual([422, expect.stringContaining(said!)]);
    }
  });
});

async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 15_000; waited += 50) {
    if (await is()) return;
    await sleep(50);
  }
  throw new Error(`not in time\n${mayfly.output().slice(-3000)}`);
}
