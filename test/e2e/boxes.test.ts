import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { BoxView, Digest, ImageView } from "@mayfly/contract";
import { type DockerRegistry, openImageStore, registryClient, startDockerRegistry } from "@mayfly/image";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { MAYFLY, runMayfly } from "./program.ts";
import { KEY, type System, startSystem } from "./system.ts";

/** As `npm test` builds it. */
const LAYER_TREE = join(import.meta.dirname, "../../build/native/layer-tree");
const IMAGE = "mayfly/node:24";
const FS = `const fs = require("fs");`;

/** A machine that does other things as well takes its time for a hundred starts of a program. */
vi.setConfig({ testTimeout: 300_000 });

/** `mayfly run` and what there is to do with a box, on a whole system. */
describe("a kept box", () => {
  let system: System;
  let docker: DockerRegistry;
  let dir: string;
  beforeAll(async () => {
    [system, docker] = await Promise.all([startSystem(), startDockerRegistry()]);
    dir = mkdtempSync(join(tmpdir(), "mayfly-kept-"));
  }, 300_000);
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    await docker?.close();
    expect(await system?.stop()).toBe(0);
  }, 60_000);

  const mayfly = (args: readonly string[], input?: string) =>
    runMayfly(args, {
      cwd: dir,
      env: { MAYFLY_URL: system.url, NO_COLOR: "1" },
      ...(input !== undefined && { input }),
    });
  /** Its standard output; it must succeed. */
  async function done(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await mayfly(args);
    if (code !== 0) throw new Error(`${args.join(" ")}: ${code}\n${stderr}`);
    return stdout.trim();
  }
  const until = (met: () => unknown) => vi.waitFor(met, { timeout: 30_000, interval: 100 });
  /** Over HTTP, which starts no program. */
  const view = async (box: string) => (await (await system.api(`/v1/boxes/${box}`)).json()) as BoxView;
  const logs = async (box: string) => (await system.api(`/v1/boxes/${box}/logs`)).text();
  const node = (script: string) => [IMAGE, "node", "-e", script];

  it("runs as it is told: streams, exit status, environment, folder, user; and goes with --rm", async () => {
    const script = `${FS} process.stdout.write(fs.readFileSync(0)); console.error(process.env.A, process.cwd(),
      process.getuid(), process.getgid(), require("os").hostname()); process.exit(7)`;
    const flags = ["-i", "--rm", "-e", "A=1", "-w", "/made/for/it", "-u", "12:34", "--hostname", "here"];
    const ran = await mayfly(["run", ...flags, ...node(script)], "through");
    expect(ran).toEqual({ code: 7, stdout: "through", stderr: "1 /made/for/it 12 34 here\n" });
    expect((await mayfly(["run", "--rm", ...node("process.kill(process.pid, 'SIGTERM')")])).code).toBe(143);
    expect(await mayfly(["run", "--rm", IMAGE, "/nothing"])).toMatchObject({ code: 127 });
    expect(await mayfly(["run", "--rm", IMAGE, "/etc/hosts"])).toMatchObject({ code: 126 });
    expect(await mayfly(["run", "--rm", "no-such-image"])).toMatchObject({ code: 125 });
    expect(JSON.parse(await done("ps", "-a", "--json"))).toEqual([]);
  });

  it("is committed, pushed, pulled into an empty store: what it changed is there, and nothing else differs", async () => {
    const script = `${FS} fs.mkdirSync("/srv/new", { recursive: true }); fs.writeFileSync("/srv/new/file", "kept");
      fs.chownSync("/srv/new/file", 33, 44); fs.chmodSync("/srv/new/file", 0o4750); fs.symlinkSync("file", "/srv/new/link");
      fs.rmSync("/etc/passwd"); fs.appendFileSync("/etc/hosts", "1.2.3.4 other")`;
    await done("run", "--name", "changing", "-u", "0", ...node(script));
    const changes = (await done("diff", "changing")).split("\n");
    expect(changes).toEqual(expect.arrayContaining(["D /etc/passwd", "A /srv/new/file", "A /srv/new/link", "C /etc"]));
    expect(changes.join()).not.toMatch(/hosts|hostname|\/proc|\/dev/);

    const name = `${docker.host}/changed:1`;
    const flags = ["-a", "somebody", "-m", "why", "-c", 'CMD ["node", "-p", "1 + 1"]', "-p=false"];
    const digest = (await done("commit", ...flags, "changing", name)) as Digest;
    expect(await done("run", "--rm", "-u", "0", name)).toBe("2");
    await done("image", "push", name);

    const store = await openImageStore(join(dir, "empty"), { layerTree: LAYER_TREE });
    const { image } = await registryClient({ store }).pull(name);
    expect(image).toBe(digest);
    const [step] = await store.history(image);
    expect(step).toMatchObject({ author: "somebody", comment: "why", created_by: expect.stringContaining("node -e") });
    await done("export", "-o", join(dir, "box.tar"), "changing");
    expect(readFileSync(join(dir, "box.tar")).equals(await buffer(store.export(image)))).toBe(true);
    const pulled = `${FS} const s = fs.lstatSync("/srv/new/file"); console.log(fs.readFileSync("/srv/new/link", "utf8"),
      s.uid, s.gid, (s.mode & 0o7777).toString(8), fs.existsSync("/etc/passwd"))`;
    expect(await done("run", "--rm", "-u", "0", name, "node", "-e", pulled)).toBe("kept 33 44 4750 false");
    await done("rm", "changing");
  });

  it("is committed with what run was told, and over it the changes, as with Docker", async () => {
    const flags = [
      "-e",
      "A=1",
      "-e",
      "B=2",
      "-w",
      "/tmp",
      "-u",
      "12:34",
      "-v",
      `${dir}:/shown`,
      "--entrypoint",
      "node",
    ];
    const script = "console.log(process.env.A, process.env.B, process.cwd(), process.getuid(), process.getgid())";
    await done("run", "--name", "told", "--memory", "64MiB", "--hostname", "here", ...flags, IMAGE, "-e", script);
    const digest = await done("commit", "-c", "ENV B=changed", "told", "told:1");
    const { config } = JSON.parse(await done("image", "inspect", "told:1")) as ImageView;
    const own = JSON.parse(await done("image", "inspect", IMAGE)) as ImageView;
    expect(config).toEqual({
      ...own.config,
      Env: ["A=1", "B=changed", ...(own.config.Env as string[])],
      ...{ WorkingDir: "/tmp", User: "12:34", Entrypoint: ["node"], Cmd: ["-e", script] },
    });
    expect(await done("run", "--rm", digest)).toBe("1 changed /tmp 12 34");
    await done("rm", "told");
    await done("image", "rm", "told:1");
  });

  it("is paused, stopped, started again on what it wrote, killed and removed", async () => {
    const script = `${FS} try { console.log("was", fs.readFileSync("/tmp/n", "utf8")) } catch {}
      let n = 0; setInterval(() => { n += 1; fs.writeFileSync("/tmp/n", "x"); console.log(n) }, 10);
      process.on("SIGTERM", () => process.exit(3))`;
    const id = await done("run", "-d", "--name", "living", ...node(script));
    await until(async () => expect(await logs("living")).toContain("5\n"));
    await done("pause", id);
    const [one, other] = [await done("logs", id), (await logs("living")).trim()];
    expect(other).toBe(one);
    expect((await view("living")).status).toBe("paused");
    await done("unpause", "living");
    expect((await mayfly(["rm", "living"])).stderr).toContain("stop it first");
    expect(await done("ps")).toMatch(/\nbox_[0-9a-f]{12} +mayfly\/node:24 +node -e .*running +living/);
    const following = mayfly(["logs", "-f", "living"]);
    const waiting = done("wait", "living");
    await done("stop", "living");
    expect([await waiting, (await following).code]).toEqual(["3", 0]);
    expect(await view(id)).toMatchObject({ status: "exited", exit_code: 3 });
    expect((await view(id)).usage!.cpu_us).toBeGreaterThan(1000);
    await done("start", "living");
    await until(async () => expect(await logs("living")).toContain("was x"));
    await done("kill", "living");
    expect(await view(id)).toMatchObject({ status: "exited", exit_code: 137 });
    expect((await mayfly(["run", "--name", "living", IMAGE, "node"])).stderr).toContain("already");
    await done("rm", id);
  });

  it("sees volumes with the owners that were asked for, and never Mayfly's own folder", async () => {
    const folder = join(dir, "shared");
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), "shown");
    const script = `${FS} const at = "/new/place"; console.log(fs.readFileSync(at + "/file", "utf8"), fs.statSync(at).uid);
      try { fs.writeFileSync(at + "/made", ""); console.log("made") } catch (e) { console.log(e.code) }`;
    const run = (volume: string) => done("run", "--rm", "-u", "0", "-v", volume, ...node(script));
    expect(await run(`${folder}:/new/place`)).toBe("shown 65534\nEACCES");
    expect(await run(`${folder}:/new/place:ro,idmap`)).toBe("shown 0\nEROFS");
    expect(await run(`./shared:/new/place:idmap`)).toBe("shown 0\nmade");
    expect(statSync(join(folder, "made")).uid).toBe(0);
    const place = { source: folder, target: "/a" };
    for (const [volume, why] of [
      [{ ...place, source: `${system.home}/images` }, "Mayfly's own folder"],
      [{ ...place, source: "/" }, "Mayfly's own folder"],
      [{ ...place, source: `${folder}/none` }, "ENOENT"],
      [{ ...place, target: "/proc/a" }, "the box's own"],
      [{ ...place, target: "/etc/../a" }, "without . and .."],
      [{ ...place, target: "/bin/a" }, "is a link in the image"],
    ] as const) {
      const body = JSON.stringify({ image: IMAGE, volumes: [volume] });
      const answer = await system.api("/v1/boxes", { method: "POST", body });
      expect([answer.status, await answer.json()]).toEqual([
        422,
        expect.objectContaining({ code: "bad_setting", detail: expect.stringContaining(why) }),
      ]);
    }
  });

  it("is held to its memory", async () => {
    const hog = `const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1))`;
    const ran = await mayfly(["run", "--rm", "-m", "128MiB", ...node(hog)]);
    expect(ran).toMatchObject({ code: 137, stderr: expect.stringContaining("out of memory") });
  });

  it("has a terminal when it is to have one, of the size of ours", async () => {
    const script = `console.log([process.stdin.isTTY, process.stdout.isTTY, process.env.TERM].join(" ")); process.stdin.setRawMode(true);
      process.stdin.once("data", (c) => { console.log("typed " + c); process.exit(4) })`;
    writeFileSync(join(dir, "box.mjs"), script);
    const command = `${MAYFLY} run -it --rm -u 0 -v ${dir}:/here:ro,idmap ${IMAGE} node /here/box.mjs`;
    const env = { ...process.env, MAYFLY_URL: system.url, MAYFLY_KEY: KEY };
    const child = spawn("script", ["-qec", command, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
    let shown = "";
    child.stdout.on("data", (chunk) => (shown += chunk));
    await until(() => expect(shown).toContain("true true xterm"));
    child.stdin.write("k");
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect([code, shown]).toEqual([4, expect.stringContaining("typed k")]);
  });

  it("is there after its worker was killed, with what it wrote, and its image is no garbage", async () => {
    const script = `${FS} fs.writeFileSync("/tmp/kept", "yes"); console.log("wrote"); setInterval(() => {}, 1000)`;
    const id = await done("run", "--name", "left", "-d", ...node(script));
    const digest = (await done("commit", "left")) as Digest;
    const child = await done(
      "run",
      "-d",
      digest,
      "node",
      "-e",
      `${FS} console.log(fs.readFileSync("/tmp/kept", "utf8"))`,
    );
    await until(async () => expect(await logs("left")).toBe("wrote\n"));
    const worker = system.pid("worker")!;
    process.kill(worker, "SIGKILL");
    await until(() => expect([null, worker]).not.toContain(system.pid("worker")));
    await until(async () => expect((await view("left")).status).toBe("exited"));
    expect(JSON.parse(await done("inspect", id))).toMatchObject({
      name: "left",
      exit_code: 137,
      ended: expect.stringContaining("worker"),
    });
    await done("image", "gc", "--unused-for", "0s");
    expect(await done("diff", "left")).toContain("A /tmp/kept");
    expect(await done("logs", "left")).toBe("wrote");
    expect(await done("start", "-a", child)).toBe("yes");
    await done("rm", "left", child);
    expect((await mayfly(["run", "--rm", digest, "node", "-p", "1"])).code).toBe(0);
    await done("image", "gc", "--unused-for", "0s");
    expect((await mayfly(["run", "--rm", digest, "node", "-p", "1"])).code).toBe(125);
  });
});
