import { execFile } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Digest, ImageSummary, ImageView } from "@mayfly/contract";
import {
  type DockerRegistry,
  type ImageStore,
  openImageStore,
  registryClient,
  startDockerRegistry,
} from "@mayfly/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runMayfly } from "./program.ts";
import { type System, startSystem } from "./system.ts";

/** As `npm test` builds it. */
const LAYER_TREE = join(import.meta.dirname, "../../build/native/layer-tree");
const LAYERS = 12;
const ATTRIBUTES = { mode: 0o755, uid: 0, gid: 0, mtime_s: 1_700_000_000 };
const run = promisify(execFile);
const skopeo = async (...args: string[]) => (await run("skopeo", args)).stdout;

/** `mayfly image …` against a whole system, a registry of Debian's and other people's tools. */
describe("mayfly image", () => {
  let system: System;
  let docker: DockerRegistry;
  let dir: string;
  let theirs: ImageStore;
  let image: Digest;
  beforeAll(async () => {
    [system, docker] = await Promise.all([startSystem(), startDockerRegistry()]);
    dir = mkdtempSync(join(tmpdir(), "mayfly-images-"));
    theirs = await openImageStore(join(dir, "theirs"), { layerTree: LAYER_TREE });
    image = await makeImage();
    await registryClient({ store: theirs }).push(image, `${docker.host}/app:1`);
  }, 300_000);
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    await docker?.close();
    expect(await system?.stop()).toBe(0);
  }, 60_000);

  async function makeImage(): Promise<Digest> {
    const layers = [];
    for (let at = 0; at < LAYERS; at += 1) {
      const content = Buffer.from(`layer ${at}\n`.repeat(1000));
      const entry = {
        type: "file",
        path: `file-${at}`,
        ...ATTRIBUTES,
        size_bytes: content.byteLength,
        content,
      } as const;
      layers.push(await theirs.addLayer([entry], { compression: "gzip" }));
    }
    const history = layers.map((_, at) => `COPY file-${at} /`);
    const config = { Cmd: ["/file-0"], Env: ["A=1"] };
    return theirs.createImage({ base: null, layers, config, history, created: new Date(1e12) });
  }
  const mayfly = (...args: string[]) =>
    runMayfly(["image", ...args], { cwd: dir, env: { MAYFLY_URL: system.url, NO_COLOR: "1" } });
  async function json<T>(...args: string[]): Promise<T> {
    const ran = await mayfly(...args, "--json");
    if (ran.code !== 0) throw new Error(ran.stderr);
    return JSON.parse(ran.stdout);
  }
  const tags = async () => (await json<ImageSummary[]>("ls")).flatMap((one) => one.tags);
  const blob = (digest: Digest) => join(system.home, "images/blobs/sha256", digest.slice(7));

  it("shows the images that npm start made, and how they came to be", async () => {
    expect(await tags()).toEqual(["mayfly/builder:latest", "mayfly/node:24"]);
    expect((await mayfly("ls")).stdout).toMatch(
      /^IMAGE +DIGEST +CREATED +LAYERS +SIZE\nmayfly\/builder:latest +[0-9a-f]{12} /,
    );
    const node = await json<ImageView>("inspect", "mayfly/node:24");
    expect(node).toMatchObject({ tags: ["mayfly/node:24"], os: "linux", architecture: "amd64" });
    expect((await mayfly("history", node.digest.slice(7, 19))).stdout.trim().split("\n").length).toBe(
      1 + node.layers.length,
    );
    expect(await mayfly("inspect", "nothing:1")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("there is no image nothing:1"),
    });
  });

  it("pulls from a registry and pushes to it: digests are equal, what is there is not sent again", async () => {
    const pulled = await mayfly("pull", `${docker.host}/app:1`);
    expect(pulled).toMatchObject({ code: 0, stdout: "" });
    expect(pulled.stderr).toContain(`${docker.host}/app:1 is here: ${image}`);
    expect(await json("inspect", `${docker.host}/app:1`)).toMatchObject({ digest: image, config: { Env: ["A=1"] } });
    expect((await mayfly("pull", `${docker.host}/app:1`)).stderr.match(/is there already/g)).toHaveLength(LAYERS + 1);
    await mayfly("tag", `${docker.host}/app:1`, "app:1");
    expect(await json("push", "app:1", `${docker.host}/copy:2`)).toEqual({
      reference: `${docker.host}/copy:2`,
      digest: image,
    });
    const inspected = JSON.parse(await skopeo("inspect", "--tls-verify=false", `docker://${docker.host}/copy:2`));
    expect([inspected.Digest, inspected.Layers.length]).toEqual([image, LAYERS]);
    expect(await mayfly("push", "app:1")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("names no registry"),
    });
    expect(await mayfly("pull", `${docker.host}/app:2`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("app:2"),
    });
    expect(await mayfly("pull", "127.0.0.1:1/app:1")).toMatchObject({
      code: 75,
      stderr: expect.stringContaining("127.0.0.1:1"),
    });
  });

  it("saves what skopeo reads, and loads what skopeo wrote", async () => {
    expect(await mayfly("save", "app:1", "-o", "app.tar")).toMatchObject({ code: 0 });
    expect(JSON.parse(await skopeo("inspect", `docker-archive:${dir}/app.tar`)).Layers).toHaveLength(LAYERS);
    await mayfly("save", "app:1", "-o", "app.oci", "--format", "oci");
    expect(JSON.parse(await skopeo("inspect", `oci-archive:${dir}/app.oci`)).Digest).toBe(image);
    await mayfly("rm", "app:1");
    expect(await tags()).not.toContain("app:1");
    expect(await json("load", "app.tar")).toEqual([{ digest: image, tags: ["app:1"] }]);
    await skopeo(
      "copy",
      "--src-tls-verify=false",
      `docker://${docker.host}/app:1`,
      `docker-archive:${dir}/skopeo.tar:their/app:3`,
    );
    const [loaded] = await json<{ tags: string[] }[]>("load", "skopeo.tar");
    expect(loaded!.tags).toEqual(["docker.io/their/app:3"]);
    expect(await json<ImageView>("inspect", "docker.io/their/app:3")).toMatchObject({ config: { Cmd: ["/file-0"] } });
    writeFileSync(join(dir, "no.tar"), "no archive at all");
    expect(await mayfly("load", "no.tar")).toMatchObject({ code: 1, stderr: expect.stringContaining("bad_image") });
    expect(await mayfly("save", "nothing:1", "-o", "x.tar")).toMatchObject({ code: 1 });
    expect(readdirSync(dir).filter((name) => name.startsWith("x.tar"))).toEqual([]);
  });

  it("exports one tar and imports it as an image of one layer", async () => {
    await mayfly("export", "app:1", "-o", "root.tar");
    const { stdout } = await run("tar", ["-tf", join(dir, "root.tar")]);
    expect(stdout.trim().split("\n").sort()).toEqual(Array.from({ length: LAYERS }, (_, at) => `file-${at}`).sort());
    expect(
      await mayfly("import", "root.tar", "flat:1", "--change", 'CMD ["/file-1"]', "--message", "made flat"),
    ).toMatchObject({ code: 0 });
    const flat = await json<ImageView>("inspect", "flat:1");
    expect([flat.layers.length, flat.config.Cmd]).toEqual([1, ["/file-1"]]);
    expect((await mayfly("history", "flat:1")).stdout).toContain("made flat");
    expect(await mayfly("import", "root.tar", "flat:2", "--change", "RUN x")).toMatchObject({ code: 1 });
    expect(await tags()).not.toContain("flat:2");
  });

  it("brings a name back to what it stood for", async () => {
    await mayfly("tag", "flat:1", "moving:1");
    await mayfly("tag", "app:1", "moving:1");
    const log = await json<{ digest: Digest }[]>("log", "moving:1");
    expect(log.map(({ digest }) => digest)).toEqual([image, (await json<ImageView>("inspect", "flat:1")).digest]);
    expect(await json("rollback", "moving:1")).toEqual({ reference: "moving:1", digest: log[1]!.digest });
  });

  it("moves no name of an image that Mayfly makes, by whatever way", async () => {
    const before = readFileSync(join(system.home, "images/tags", encodeURIComponent("mayfly/node:24")), "utf8");
    const refused = { code: 1, stderr: expect.stringContaining("mayfly/node is an image that Mayfly makes") };
    expect(await mayfly("tag", "app:1", "mayfly/node:24")).toMatchObject(refused);
    expect(await mayfly("rm", "mayfly/node:24")).toMatchObject(refused);
    expect(await mayfly("rollback", "mayfly/node:24")).toMatchObject(refused);
    expect(await mayfly("import", "root.tar", "mayfly/node:24")).toMatchObject(refused);
    await theirs.tag("mayfly/node:24", image);
    const bytes = await Array.fromAsync(theirs.save([{ digest: image, tags: ["mayfly/node:24"] }], "docker"));
    writeFileSync(join(dir, "evil.tar"), Buffer.concat(bytes));
    expect(await mayfly("load", "evil.tar")).toMatchObject(refused);
    expect(readFileSync(join(system.home, "images/tags", encodeURIComponent("mayfly/node:24")), "utf8")).toBe(before);
  });

  it("frees what nothing needs, and nothing that a version runs", async () => {
    const hello = "export default () => new Response('hello')";
    expect((await system.deploy("kept", hello)).status).toBe(201);
    for (const name of (await tags()).filter((tag) => !tag.startsWith("mayfly/"))) await mayfly("rm", name);
    expect(existsSync(blob(image))).toBe(true);
    expect(await json("gc")).toMatchObject({ blobs: 0 });
    const swept = await mayfly("gc", "--unused-for", "0s");
    expect(swept).toMatchObject({ code: 0 });
    expect(existsSync(blob(image))).toBe(false);
    expect(await (await system.call("kept")).text()).toBe("hello");
    expect(await json("fsck", "--deep")).toMatchObject({ problems: [] });
    expect(await mayfly("pull", `${docker.host}/app:1`)).toMatchObject({ code: 0 });
  });

  it("finds a damaged blob, puts it aside, and has it again after a pull", async () => {
    const { layers } = await json<ImageView>("inspect", `${docker.host}/app:1`);
    appendFileSync(blob(layers[3]!.digest), "!");
    const found = await mayfly("fsck");
    expect(found).toMatchObject({ code: 1, stdout: expect.stringContaining(layers[3]!.digest) });
    expect(await mayfly("fsck", "--mend")).toMatchObject({ stdout: expect.stringContaining("is in quarantine") });
    expect(await mayfly("pull", `${docker.host}/app:1`)).toMatchObject({ code: 0 });
    expect(await mayfly("fsck")).toMatchObject({ code: 0, stdout: "" });
  });

  it("are pulled when a Dockerfile goes on from one that is not here", async () => {
    await registryClient({ store: theirs }).push(image, `${docker.host}/base:7`);
    const dockerfile = (from: string) =>
      `FROM ${from} AS files\nFROM mayfly/node:24\nCOPY --from=files /file-3 /app/\nCOPY <<"index.mjs" /app/\n` +
      'import { readFileSync } from "node:fs";\nexport default () => new Response(readFileSync("file-3"));\nindex.mjs\n';
    const answer = await system.deploy("based", dockerfile(`${docker.host}/base:7`));
    expect(answer.status, await answer.clone().text()).toBe(201);
    expect(await (await system.call("based")).text()).toBe("layer 3\n".repeat(1000));
    const absent = await system.deploy("based", dockerfile(`${docker.host}/absent:1`));
    expect(absent.status).toBe(422);
    expect(await absent.text()).toContain("it is not here, and pulling it failed");
  });
});
