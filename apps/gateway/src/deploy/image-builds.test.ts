import { type BuildJob, BuildSecrets, decodeJson, FRAME, newBuildId } from "@mayfly/contract";
import { connectChannel } from "@mayfly/queue";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { problemOf, startGateway, type TestGateway } from "../testing/gateway.ts";
import { IMAGE } from "../testing/worker.ts";

describe("a build of no function", () => {
  let gateway: TestGateway;
  const jobs: BuildJob[] = [];
  beforeAll(async () => {
    gateway = await startGateway();
    gateway.worker.built = async (job) => {
      jobs.push(job);
      return { status: "image", image: IMAGE, size_bytes: 1, tags: job.options.tags };
    };
  });
  afterAll(() => gateway.close());

  const post = (query: string, body: string | FormData = "FROM scratch\n", headers: Record<string, string> = {}) =>
    gateway.api(`/v1/builds?${query}`, { method: "POST", body, headers });

  it("gives an image under its tags, and no version", async () => {
    const besides =
      "no-cache=true&pull=1&platform=linux/amd64&run-network=none&add-host=a:192.0.2.1&add-host=b=[2001:db8::1]";
    const answer = await post(`t=web:1&t=web:latest&target=a&build-arg.A=1&label.org.x=y&${besides}&wait=10`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: "done", image: IMAGE, tags: ["web:1", "web:latest"] });
    expect(jobs.at(-1)).toMatchObject({
      function: null,
      options: {
        ...{ tags: ["web:1", "web:latest"], no_cache: true, secrets: [] },
        ...{ pull: true, platform: "linux/amd64", run_network: "none" },
        hosts: ["192.0.2.1\ta", "2001:db8::1\tb"],
      },
      settings: { target: "a", build_arg: { A: "1" }, label: { "org.x": "y" } },
    });
    expect(await gateway.json("/v1/functions")).toMatchObject({ functions: [] });
  });

  it("is answered at once with where to look, or streams its log with the result last", async () => {
    const begun = await post("t=web:2");
    const { build } = (await begun.json()) as { build: { id: string } };
    expect([begun.status, begun.headers.get("location")]).toEqual([202, `/v1/builds/${build.id}`]);
    const streamed = await post("t=web:2", "FROM scratch\n", { accept: "application/x-ndjson" });
    const last = JSON.parse((await streamed.text()).trim().split("\n").at(-1)!);
    expect(last).toMatchObject({ step: "result", status: "done", image: IMAGE, tags: ["web:2"] });
  });

  it("takes its secrets from a form, and shows them to the worker alone", async () => {
    let shown: Record<string, string> = {};
    gateway.worker.built = async (job) => {
      const hello = { kind: "build", build: job.build, host: "test" } as const;
      const { channel } = await connectChannel(job.channel, hello);
      for await (const frame of channel.frames) {
        if (frame.type !== FRAME.RECORD) continue;
        shown = BuildSecrets.parse(decodeJson(frame));
        break;
      }
      channel.close();
      jobs.push(job);
      return { status: "image", image: IMAGE, size_bytes: 1, tags: [] };
    };
    const form = new FormData();
    form.set("secret.token", "hunter2-of-the-form");
    form.set("secret.key", new Blob([new Uint8Array([0, 255])]), "key");
    form.set("source", new Blob(["FROM scratch\n"]), "Dockerfile");
    expect((await post("wait=10", form)).status).toBe(200);
    expect(shown).toEqual({ token: btoa("hunter2-of-the-form"), key: btoa("\0\xff") });
    expect(jobs.at(-1)!.options.secrets).toEqual(["token", "key"]);
    const seen = JSON.stringify([jobs.at(-1), await gateway.deps.catalog.build(jobs.at(-1)!.build)]);
    expect(seen).not.toContain("hunter2");
    expect(gateway.deps.secrets.of(jobs.at(-1)!.build)).toBeNull();
  });

  it.each([
    ["secret.token=x", "secret.token"],
    ["t=Not%20a%20name", "t"],
    ["no-cache=perhaps", "no-cache"],
    ["pull=perhaps", "pull"],
    ["platform=linux/amd64,linux/arm64", "platform"],
    ["run-network=host", "run-network"],
    ["add-host=a:host-gateway", "add-host"],
  ])("is refused with %s", async (query, setting) => {
    const answer = await post(query);
    expect([answer.status, await problemOf(answer)]).toMatchObject([422, { code: "bad_setting", setting }]);
  });

  it("that is canceled takes its worker's go-ahead back", async () => {
    const said: unknown[] = [];
    gateway.worker.built = async (job) => {
      const hello = { kind: "build", build: job.build, host: "test" } as const;
      const { channel } = await connectChannel(job.channel, hello);
      said.push("running");
      for await (const frame of channel.frames) if (said.push(decodeJson(frame))) break;
      channel.close();
      return { status: "error", error: { code: "build_failed", message: "the build was cancelled" } };
    };
    const { build } = (await (await post("t=web:3")).json()) as { build: { id: string } };
    await vi.waitFor(() => expect(said).toEqual(["running"]));
    expect(await gateway.json(`/v1/builds/${build.id}`, { method: "DELETE" })).toMatchObject({ status: "canceled" });
    await vi.waitFor(() => expect(said[1]).toMatchObject({ go: false }));
    expect(await gateway.json(`/v1/builds/${newBuildId(1)}`, { method: "DELETE" })).toMatchObject({ status: 404 });
  });
});
