import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Digest } from "@mayfly/contract";
import {
  type DockerRegistry,
  type ImageStore,
  type LayerEntry,
  openImageStore,
  type RegistryClient,
  registryClient,
  startDockerRegistry,
} from "@mayfly/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changeByBuildah } from "./buildah.ts";
import { runMayfly } from "./program.ts";
import { KEY, type System, startSystem } from "./system.ts";

/** As `npm test` builds it. */
const LAYER_TREE = join(import.meta.dirname, "../../build/native/layer-tree");

const MiB = 1024 * 1024;
const ATTRIBUTES = { mode: 0o755, uid: 0, gid: 0, mtime_s: 1_700_000_000 };
const run = promisify(execFile);

describe("the gateway's registry", () => {
  let mayfly: System;
  let dir: string;
  let store: ImageStore;
  let client: RegistryClient;
  let host: string;
  let base: Digest;
  /** The registries that names without a host are looked for at. */
  let others: DockerRegistry[];
  beforeAll(async () => {
    others = await Promise.all([startDockerRegistry(), startDockerRegistry()]);
    mayfly = await startSystem({ MAYFLY_REGISTRIES: `${others[0]!.host}/team,${others[1]!.host}` });
    host = new URL(mayfly.url).host;
    dir = await mkdtemp(join(tmpdir(), "mayfly-registry-e2e-"));
    store = await openImageStore(join(dir, "store"), { layerTree: LAYER_TREE });
    client = registryClient({ store, credential: () => ({ username: "me", password: KEY }) });
  });
  afterAll(async () => {
    expect(await mayfly.stop()).toBe(0);
    for (const registry of others) await registry.close();
    await rm(dir, { recursive: true, force: true });
  });

  const imageOf = async (under: Digest | null, entries: LayerEntry[]): Promise<Digest> => {
    const layer = await store.addLayer(entries, { compression: "gzip" });
    const created = new Date("2026-01-01T00:00:00Z");
    return store.createImage({ base: under, layers: [layer], config: {}, history: ["COPY"], created });
  };
  const file = (path: string, text: string): LayerEntry => {
    const content = Buffer.from(text);
    return { type: "file", path, ...ATTRIBUTES, size_bytes: content.byteLength, content };
  };
  const deploy = (name: string, image: string) =>
    mayfly.deploy(name, JSON.stringify({ image }), "", { "content-type": "application/json" });

  it("gives the base image that only the worker's store has", async () => {
    base = (await client.pull(`${host}/mayfly/node:24`)).image;
    const inspected = await run("skopeo", [
      ...["inspect", "--tls-verify=false", "--creds", `me:${KEY}`, `docker://${host}/mayfly/node:24`],
    ]);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ Digest: base, Architecture: "amd64", Os: "linux" });
    expect((await store.fsck()).problems).toEqual([]);
  });

  it("takes an image that goes on from it; deployed, it answers, with a bill", async () => {
    const source = "export default { fetch: (request) => new Response(`pushed ${new URL(request.url).pathname}`) };\n";
    const image = await imageOf(base, [
      { type: "directory", path: "app", ...ATTRIBUTES },
      file("app/index.mjs", source),
    ]);
    await client.push(image, `${host}/team/app:1`);
    const answer = await deploy("pushed", "team/app:1");
    expect([answer.status, await answer.json()]).toMatchObject([201, { version: 1, contract: "fetch", image }]);
    const call = await mayfly.call("pushed/here");
    expect([call.status, await call.text()]).toEqual([200, "pushed /here"]);
    expect((await mayfly.record(call)).bill.usage.cpu_us).toBeGreaterThan(0);
    const again = await deploy("pushed", `${host}/team/app:1`);
    expect(await again.json()).toMatchObject({ version: 1, unchanged: true });
    const pulled = await client.pull(`${host}/mayfly/function/pushed:1`);
    expect(pulled.image).toBe(image);
    expect((await client.pull(`${host}/mayfly/function/pushed:live`)).image).toBe(image);
    await expect(client.pull(`${host}/mayfly/function/pushed:2`)).rejects.toMatchObject({ reason: "missing" });
    await expect(client.pull(`${host}/mayfly/nothing:1`)).rejects.toMatchObject({ reason: "missing" });
  });

  it("takes what buildah made of an image of ours, with all that it changed", async () => {
    const source = `import { readFileSync } from "node:fs";
      export default () => Response.json([process.env.GREETING, readFileSync("/made-by-run", "utf8"), process.version]);`;
    const change = { from: `${host}/mayfly/node:24`, to: `${host}/team/built:1`, credential: `me:${KEY}` };
    const pushed = await changeByBuildah(join(dir, "buildah"), change, { "index.mjs": source });
    const answer = await deploy("built", "team/built:1");
    expect([answer.status, await answer.json()]).toMatchObject([201, { version: 1, contract: "fetch", image: pushed }]);
    const [greeting, then, now] = (await (await mayfly.call("built")).json()) as string[];
    expect([greeting, then]).toEqual(["buildah", now]);
  });

  it("has an image of another registry fetched by its name", async () => {
    const docker = await startDockerRegistry();
    try {
      const app: LayerEntry = { type: "directory", path: "app", ...ATTRIBUTES };
      const image = await imageOf(base, [
        app,
        file("app/index.mjs", "export default () => new Response('elsewhere');"),
      ]);
      await client.push(image, `${docker.host}/else/where:1`);
      const answer = await deploy("elsewhere", `${docker.host}/else/where:1`);
      expect([answer.status, await answer.json()]).toMatchObject([201, { version: 1, image }]);
      expect(await (await mayfly.call("elsewhere")).text()).toBe("elsewhere");
      expect(await (await deploy("elsewhere", `${docker.host}/else/where@${image}`)).json()).toMatchObject({
        version: 1,
      });
      const absent = await deploy("absent", `${docker.host}/else/where:2`);
      expect([absent.status, await absent.json()]).toMatchObject([422, { code: "unknown_image" }]);
    } finally {
      await docker.close();
    }
  });

  it("has a name without a host looked for at the operator's registries: by pull, FROM and a deploy", async () => {
    const app: LayerEntry = { type: "directory", path: "app", ...ATTRIBUTES };
    const saying = (text: string) =>
      imageOf(base, [app, file("app/index.mjs", `export default () => new Response('${text}');`)]);
    const [first, second] = [await saying("first"), await saying("second")];
    await client.push(first, `${others[0]!.host}/team/common:1`);
    await client.push(second, `${others[1]!.host}/common:1`);
    await client.push(second, `${others[1]!.host}/only/second:1`);
    const answer = await deploy("common", "common:1");
    expect([answer.status, await answer.json()]).toMatchObject([201, { version: 1, image: first }]);
    expect(await (await mayfly.call("common")).text()).toBe("first");
    expect(await (await deploy("common", "only/second:1")).json()).toMatchObject({ version: 2, image: second });
    const built = await mayfly.deploy("from", "FROM only/second:1\nENV BUILT=1\n");
    expect([built.status, await built.json()]).toMatchObject([201, { version: 1 }]);
    expect(await (await mayfly.call("from")).text()).toBe("second");
    const pulled = await mayfly.api("/v1/images/common:1/pull", { method: "POST" });
    expect(await pulled.json()).toEqual({ reference: `${others[0]!.host}/team/common:1`, digest: first });
    await client.push(second, `${others[1]!.host}/only/third:1`);
    const shown = ["only/third:1", "node", "-e", "console.log(require('fs').readFileSync('/app/index.mjs', 'utf8'))"];
    const cli = { cwd: dir, env: { MAYFLY_URL: mayfly.url, NO_COLOR: "1" } };
    expect((await runMayfly(["run", "--rm", "--pull", "never", ...shown], cli)).code).toBe(125);
    expect((await runMayfly(["run", "--rm", ...shown], cli)).stdout).toContain("second");
    const absent = await deploy("absent", "only/none:1");
    const problem = (await absent.json()) as { code: string; detail: string };
    expect([absent.status, problem.code]).toEqual([422, "unknown_image"]);
    for (const registry of others) expect(problem.detail).toContain(`${registry.host} answered`);
  });

  it("takes an image of 128 layers more, which are one root in a box", async () => {
    let image = base;
    for (let at = 0; at < 127; at += 1) image = await imageOf(image, [file(`layer-${at}`, `${at}`)]);
    const source = `import { readdirSync } from "node:fs";
      export default () => new Response(String(readdirSync("/").filter((name) => name.startsWith("layer-")).length));`;
    image = await imageOf(image, [{ type: "directory", path: "app", ...ATTRIBUTES }, file("app/index.mjs", source)]);
    await client.push(image, `${host}/team/tall:1`);
    expect((await deploy("tall", "team/tall:1")).status).toBe(201);
    expect(await (await mayfly.call("tall")).text()).toBe("127");
  });

  it("says of an image that nothing can serve what is missing", async () => {
    await client.push(await imageOf(null, [file("index.html", "x")]), `${host}/team/other:1`);
    const other = await deploy("other", "team/other:1");
    expect([other.status, await other.json()]).toMatchObject([
      ...[422, { code: "handler_not_found", hint: expect.stringContaining("give it a CMD that serves HTTP") }],
    ]);
    await client.push(await imageOf(base, [file("index.html", "x")]), `${host}/team/empty:1`);
    const empty = await deploy("empty", "team/empty:1");
    expect([empty.status, await empty.json()]).toMatchObject([
      ...[422, { code: "handler_not_found", detail: "the image has no module /app/index.mjs" }],
    ]);
    const throwing = await imageOf(base, [
      { type: "directory", path: "app", ...ATTRIBUTES },
      file("app/index.mjs", "throw new Error('at load');"),
    ]);
    await client.push(throwing, `${host}/team/throwing:1`);
    const thrown = await deploy("throwing", "team/throwing:1");
    expect([thrown.status, await thrown.json()]).toMatchObject([422, { code: "build_failed" }]);
  });

  it("lets nobody change what the worker runs", async () => {
    const tags = join(mayfly.home, "images", "tags");
    const node = () => readFileSync(join(tags, encodeURIComponent("mayfly/node:24")), "utf8");
    const before = node();
    expect(before.split("\n")[0]).toBe(base);
    const evil = await imageOf(base, [file("usr/local/bin/node", "#!/bin/sh\n")]);
    await expect(client.push(evil, `${host}/mayfly/node:24`)).rejects.toMatchObject({
      ...{ reason: "unauthorized", message: expect.stringContaining("DENIED") },
    });
    expect(node()).toBe(before);
    const pulled = (tag: string) => others.some(({ host: other }) => tag.startsWith(`${other}/`));
    const made = readdirSync(tags).map(decodeURIComponent);
    expect(made.filter((tag) => !pulled(tag)).sort()).toEqual(["mayfly/builder:latest", "mayfly/node:24"]);
    expect(statSync(join(mayfly.home, "images")).mode & 0o777).toBe(0o700);
    const registry = statSync(join(mayfly.home, "registry"));
    expect([registry.mode & 0o777, registry.uid === 0]).toEqual([0o700, false]);
  });

  it("takes and gives a blob of 300 MiB in bounded memory", async () => {
    const size = 300 * MiB;
    const path = join(dir, "blob");
    await writeFile(path, "");
    await truncate(path, size);
    const digest = `sha256:${(await run("sha256sum", [path])).stdout.slice(0, 64)}`;
    const pid = mayfly.pid("gateway")!;
    const rss = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
    const before = rss();
    let peak = before;
    const watching = setInterval(() => {
      peak = Math.max(peak, rss());
    }, 20);
    const curl = (...args: string[]) => run("curl", ["-sSf", "-u", `me:${KEY}`, ...args]);
    const begun = await curl(
      "-X",
      "POST",
      "-o",
      "/dev/null",
      "-w",
      "%header{location}",
      `${mayfly.url}/v2/big/blobs/uploads/`,
    );
    const upload = `${mayfly.url}${begun.stdout}`;
    await curl("-X", "PATCH", "-T", path, "-H", "content-type: application/octet-stream", upload);
    await curl("-X", "PUT", "-o", "/dev/null", `${upload}?digest=${digest}`);
    const got = `curl -sSf -u me:${KEY} ${mayfly.url}/v2/big/blobs/${digest} | sha256sum`;
    expect((await run("sh", ["-c", got])).stdout.slice(0, 64)).toBe(digest.slice(7));
    clearInterval(watching);
    console.info("gateway grown by MiB", Math.round((peak - before) / MiB));
    expect(peak - before).toBeLessThan(64 * MiB);
  });
});
