import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Ground } from "../../libs/container/src/network/testing/ground.ts";
import { PRIVATE, PUBLIC, RESOLVER } from "../../libs/container/src/network/testing/reach.ts";
import { KEY, type Settled, type System, startSystem } from "./system.ts";

/** Fetches what it is asked for, and says what came of it. */
const FETCHER = `export default async (request) => {
  const url = new URL(request.url).searchParams.get("url");
  try {
    const answer = await fetch(url);
    return new Response(answer.status + " " + (await answer.arrayBuffer()).byteLength);
  } catch (error) {
    return new Response(error.cause?.code ?? error.message);
  }
};`;
const BYTES = 200_000;
const FETCHING = `FROM mayfly/node:24
RUN ["node", "-e", "fetch('http://203-0-113-10.test/bytes/1000').then(async (r) => require('fs').writeFileSync('/tmp/got', String((await r.arrayBuffer()).byteLength)))"]
RUN --network=none ["node", "-e", "fetch('http://203.0.113.10/').then(() => process.exit(1), () => {})"]
COPY <<"index.mjs" /app/
import { readFileSync } from "node:fs";
export default () => new Response(readFileSync("/tmp/got"));
index.mjs
`;

let ground: Ground;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "mayfly-e2e-network-"));
  writeFileSync(join(dir, "resolv.conf"), `nameserver ${RESOLVER}\n`);
  writeFileSync(join(dir, "fetcher.js"), FETCHER);
  writeFileSync(join(dir, "Dockerfile"), FETCHING);
  ground = await Ground.open([...PUBLIC, ...PRIVATE, RESOLVER]);
});
afterAll(async () => {
  await ground?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A system on the ground's host, whose resolver it has. */
const start = (env: Record<string, string>, mount = `mount --bind ${join(dir, "resolv.conf")} /etc/resolv.conf`) =>
  startSystem(env, [...ground.enter, "unshare", "--mount", "sh", "-ec", `${mount}; exec "$@"`, "sh"]);

/** As anybody would: with curl, from the host. */
const curl = (args: string) => ground.sh(`curl -sS -H 'Authorization: Bearer ${KEY}' ${args}`);
const deploy = (mayfly: System, name: string, query: string) =>
  curl(`-w ' %{http_code}' -T ${dir}/fetcher.js '${mayfly.url}/v1/functions/${name}?wait=60${query}'`);

async function call(mayfly: System, name: string, url: string): Promise<{ body: string; record: Settled }> {
  const shown = await curl(`-D - '${mayfly.url}/fn/${name}?url=${encodeURIComponent(url)}'`);
  const id = /^mayfly-invocation: (\S+)/im.exec(shown)![1];
  const record = JSON.parse(await curl(`'${mayfly.url}/v1/invocations/${id}?wait=10'`));
  return { body: shown.split("\r\n\r\n")[1]!, record };
}

describe.each([["off"], ["on"]])("with nurseries %s", (nursery) => {
  let mayfly: System;
  beforeAll(async () => {
    mayfly = await start({ MAYFLY_NURSERY: nursery });
  }, 300_000);

  it("a function that was deployed with network=egress fetches from the internet, and its bill says how much", async () => {
    expect(await deploy(mayfly, "outgoing", "&network=egress")).toMatch(/ 201$/);
    const { body, record } = await call(mayfly, "outgoing", `http://203-0-113-10.test/bytes/${BYTES}`);
    expect(body).toBe(`200 ${BYTES}`);
    expect(record).toMatchObject({ status: "succeeded", start: nursery === "on" ? "forked" : "booted" });
    const { usage, meter } = record.bill;
    expect(usage.net_rx_bytes).toBeGreaterThan(BYTES);
    expect(usage.net_rx_bytes).toBeLessThan(BYTES * 1.2);
    expect(usage.net_tx_bytes).toBeGreaterThan(100);
    expect(meter.missing.filter((name) => name.startsWith("net_"))).toEqual([]);
  });

  it("what is private it is refused", async () => {
    for (const host of ["10.9.9.9", "169.254.169.254", "192.168.7.7", "192.0.2.2", "169-254-169-254.test"])
      expect((await call(mayfly, "outgoing", `http://${host}/`)).body, host).toBe("ECONNREFUSED");
  });

  it("a function that was not has no network and nothing of it on its bill", async () => {
    expect(await deploy(mayfly, "inward", "")).toMatch(/ 201$/);
    const { body, record } = await call(mayfly, "inward", "http://203.0.113.10/");
    expect(body).toBe("ENETUNREACH");
    expect(record.bill.usage).toMatchObject({ net_rx_bytes: 0, net_tx_bytes: 0 });
  });

  it("a RUN fetches what it needs, unless it says --network=none", async () => {
    const built = await curl(`-w ' %{http_code}' -T ${dir}/Dockerfile '${mayfly.url}/v1/functions/built?wait=60'`);
    expect(built).toMatch(/ 201$/);
    expect((await call(mayfly, "built", "")).body).toBe("1000");
  });

  it("nothing of the network is left when the system was stopped", async () => {
    const left = () =>
      ground.sh("ip -o link | grep -c ' mf' || true; nft list tables; cat /proc/sys/net/ipv4/conf/up0/forwarding");
    expect(await left()).toMatch(/^[1-9]\d*\ntable inet mayfly-.*\n1\n$/s);
    expect(await mayfly.stop()).toBe(0);
    expect(await left()).toBe("0\n0\n");
  }, 60_000);
});

describe("on a machine without nftables", () => {
  it("a deploy with network=egress fails and says what to do; one without does not", async () => {
    const mayfly = await start({}, "mount --bind /dev/null /usr/sbin/nft");
    const refused = await deploy(mayfly, "outgoing", "&network=egress");
    expect(refused).toMatch(/ 422$/);
    expect(refused).toContain("network=egress is not possible on the host");
    expect(refused).toContain("apt-get install nftables");
    expect(await deploy(mayfly, "inward", "&network=none")).toMatch(/ 201$/);
    expect(await mayfly.stop()).toBe(0);
  }, 300_000);
});
