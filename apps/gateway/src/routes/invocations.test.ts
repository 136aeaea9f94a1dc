import { FRAME, newInvocationId } from "@mayfly/contract";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startGateway, type TestGateway } from "../testing/gateway.ts";
import { echo, head, recordOf, untilCut } from "../testing/worker.ts";

type Listed = { invocations: { id: string; status: string }[]; cursor: string | null };

describe("invocations", () => {
  let gateway: TestGateway;
  const ids: string[] = [];
  beforeAll(async () => {
    gateway = await startGateway();
    await gateway.define("one");
    await gateway.define("two");
    for (const name of ["one", "two", "one", "one", "two"]) ids.push(await call(name));
    for (const id of ids) await gateway.api(`/v1/invocations/${id}?wait=10`);
  });
  afterEach(() => {
    gateway.worker.behave = echo;
    gateway.worker.billing = true;
  });
  afterAll(() => gateway.close());

  const call = async (name: string) => {
    const answer = await gateway.call(name);
    await answer.arrayBuffer();
    return answer.headers.get("mayfly-invocation")!;
  };
  const list = async (query: string) => (await gateway.json(`/v1/invocations?${query}`)) as unknown as Listed;

  it("have a record with the bill and its place in the ledger", async () => {
    const record = await gateway.json(`/v1/invocations/${ids[0]}`);
    expect(record).toMatchObject({
      id: ids[0],
      function: "one",
      version: 1,
      status: "succeeded",
      bill: { total: { currency: "USD", amount: "0.000000250000" }, ledger: { seq: 1 } },
    });
    expect(await gateway.deps.ledger.verifyChain()).toBe(null);
  });

  it("are listed newest first, page by page, each once", async () => {
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Listed = await list(`limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...page.invocations.map(({ id }) => id));
      cursor = page.cursor;
    }
    expect(seen).toEqual([...ids].reverse());
  });

  it("are listed each once though some are under way", async () => {
    gateway.worker.behave = (channel) => untilCut(channel);
    const stop = new AbortController();
    const running = gateway.call("one", { signal: stop.signal });
    running.catch(() => {});
    await vi.waitFor(() => expect(gateway.deps.calls.load("one").running).toBe(1));
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Listed = await list(`limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...page.invocations.map(({ id }) => id));
      cursor = page.cursor;
    }
    expect(seen.slice(1)).toEqual([...ids].reverse());
    expect((await list("status=running")).invocations).toHaveLength(1);
    stop.abort();
    await vi.waitFor(async () => expect((await list("status=running")).invocations).toEqual([]));
  });

  it("are filtered by function, status and time", async () => {
    expect((await list("function=two&status=succeeded")).invocations).toHaveLength(2);
    expect((await list("function=two&status=timeout")).invocations).toEqual([]);
    expect((await list("until=2020-01-01T00:00:00Z")).invocations).toEqual([]);
    expect((await list("function=two&since=2020-01-01")).invocations).toHaveLength(2);
    for (const query of ["status=gone", "since=yesterday", "limit=many", "cursor=x", "limit=1001"])
      expect((await gateway.api(`/v1/invocations?${query}`)).status, query).toBe(400);
  });

  it("are shown while they run, and with their bill when one waits for it", async () => {
    let finish = () => {};
    gateway.worker.behave = async (channel) => {
      await head(channel, 200);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      await channel.send(FRAME.END);
    };
    const answer = await gateway.call("one");
    const id = answer.headers.get("mayfly-invocation")!;
    expect(await gateway.json(`/v1/invocations/${id}`)).toMatchObject({
      id,
      status: "running",
      http_status: 200,
      bill: null,
    });
    const waiting = gateway.json(`/v1/invocations/${id}?wait=10`);
    finish();
    await answer.text();
    expect(await waiting).toMatchObject({ id, status: "succeeded", bill: { ledger: {} } });
    await vi.waitFor(() => expect(gateway.deps.calls.get(id)).toBe(null));
  });

  it("of a gateway before this one are waited for, too", async () => {
    const id = newInvocationId(Date.now());
    const waiting = gateway.json(`/v1/invocations/${id}?wait=10`);
    const job = {
      invocation: id,
      attempt: 1,
      trigger: "http",
      version: { function: "one", version: 1, image: "" },
      head: { method: "GET", target: "/" },
    };
    const { image } = (await gateway.json("/v1/functions/one/versions/1")) as { image: string };
    job.version.image = image;
    const record = { kind: "invocation", record: recordOf(job as never), log: [], log_dropped_bytes: 0 };
    await gateway.worker.ship(record);
    expect(await waiting).toMatchObject({ id });
  });

  it("are entered once, however often their record arrives, and in one chain", async () => {
    const id = newInvocationId(Date.now());
    const { image } = (await gateway.json("/v1/functions/one/versions/1")) as { image: string };
    const job = {
      invocation: id,
      attempt: 1,
      trigger: "http",
      version: { function: "ghost", version: 1, image },
      head: { method: "GET", target: "/" },
    };
    const record = { kind: "invocation", record: recordOf(job as never), log: [], log_dropped_bytes: 0 };
    for (let n = 0; n < 3; n += 1) await gateway.worker.ship(record);
    expect((await list("function=ghost")).invocations).toHaveLength(1);
    expect(await gateway.deps.ledger.verifyChain()).toBe(null);
  });

  it("may have a log of any size: a record larger than a frame is entered", async () => {
    const id = newInvocationId(Date.now());
    const { image } = (await gateway.json("/v1/functions/one/versions/1")) as { image: string };
    const job = {
      invocation: id,
      attempt: 1,
      trigger: "http",
      version: { function: "loud", version: 1, image },
      head: { method: "GET", target: "/" },
    };
    const log = Array.from({ length: 1000 }, (_, n) => ({ t_us: n, stream: "stdout", text: "x".repeat(2_000) }));
    await gateway.worker.ship({ kind: "invocation", record: recordOf(job as never), log, log_dropped_bytes: 3 });
    const text = await (await gateway.api(`/v1/invocations/${id}/log`)).text();
    expect(text.split("\n")).toHaveLength(1002);
    expect(text).toContain("3 more bytes were not kept");
  });

  it("have a log as text and as JSON lines", async () => {
    expect(await (await gateway.api(`/v1/invocations/${ids[0]}/log`)).text()).toBe("a line\n");
    const lines = await gateway.api(`/v1/invocations/${ids[0]}/log`, { headers: { accept: "application/x-ndjson" } });
    expect(lines.headers.get("content-type")).toBe("application/x-ndjson");
    expect(JSON.parse(await lines.text())).toEqual({ t_us: 1, stream: "stdout", text: "a line" });
  });

  it("can be canceled while they run: the caller is told, the worker sees it", async () => {
    gateway.worker.behave = (channel) => untilCut(channel);
    const answering = gateway.call("one");
    await vi.waitFor(() => expect(gateway.deps.calls.load("one").running).toBe(1));
    const id = (await list("status=running")).invocations[0]!.id;
    const cut = gateway.worker.cut.length;
    expect((await gateway.api(`/v1/invocations/${id}`, { method: "DELETE" })).status).toBe(202);
    const answer = await answering;
    expect(answer.status).toBe(499);
    expect(await answer.json()).toMatchObject({ code: "canceled", invocation: id });
    await vi.waitFor(() => expect(gateway.worker.cut.length).toBe(cut + 1));
    await gateway.api(`/v1/invocations/${id}?wait=10`);
    expect((await gateway.api(`/v1/invocations/${id}`, { method: "DELETE" })).status).toBe(409);
  });

  it("that never were are 404", async () => {
    for (const path of ["x", newInvocationId(1), `${newInvocationId(1)}/log`])
      expect((await gateway.api(`/v1/invocations/${path}`)).status, path).toBe(404);
    expect((await gateway.api("/v1/invocations/x?wait=10")).status).toBe(404);
    expect((await gateway.api("/v1/invocations/x", { method: "DELETE" })).status).toBe(404);
  });

  it("add up in bills and usage", async () => {
    expect((await gateway.api("/v1/usage?group_by=version")).status).toBe(400);
    const { bills } = (await gateway.json("/v1/bills?function=two")) as { bills: unknown[] };
    expect(bills).toHaveLength(2);
    const csv = await (await gateway.api("/v1/bills?function=two&format=csv")).text();
    expect(csv.trimEnd().split("\r\n")).toHaveLength(3);
    const ndjson = await (await gateway.api("/v1/bills?function=two&format=ndjson")).text();
    expect(
      ndjson
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).function),
    ).toEqual(["two", "two"]);
    expect(await gateway.json("/v1/usage?function=two")).toMatchObject({
      total: { calls: 2, amount: "0.000000500000" },
    });
    expect((await gateway.api("/v1/bills?format=xml")).status).toBe(400);
    expect((await gateway.api("/v1/bills?cursor=x")).status).toBe(400);
  });
});
