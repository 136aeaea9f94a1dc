import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { all, at, javascript, PRIVATE, PUBLIC, reach } from "./testing/reach.ts";
import { openSetting, type Setting } from "./testing/setting.ts";

/** A host that does not forward IPv6. */
let setting: Setting;
beforeAll(async () => {
  setting = await openSetting({ ipv6: false });
});
afterAll(() => setting?.close());

const one = at(80, [PUBLIC[0]]);
const reached = all([PUBLIC[0]], "reached");
const fetched = `fetch("http://203-0-113-10.test/").then((r) => console.log(r.status), (e) => console.log(e.cause.code))`;

describe("on a host that does not forward IPv6", () => {
  it("a box has IPv6 on loopback alone: every other address is unreachable at once", async () => {
    const driver = await setting.driver();
    const v6 = ["2606:4700::10", ...PRIVATE.filter((address) => address.includes(":"))];
    expect(await driver.run(reach, [...one, ...at(80, v6)])).toEqual([...reached, ...all(v6, "ENETUNREACH")]);
    const loopback = `const s = require("node:net").createServer().listen(0, "::1", () => { console.log(s.address().address); s.close(); })`;
    expect((await driver.run(javascript, loopback)).stdout).toBe("::1");
    expect(await setting.ground.sh("cat /proc/sys/net/ipv6/conf/all/forwarding")).toBe("0\n");
    await driver.close();
  });
});

describe("beside tables of others", () => {
  it("boxes have their network, and the others' rules stay as they are", async () => {
    const theirs = `table ip filter {
      chain FORWARD { type filter hook forward priority filter; policy accept; jump DOCKER-USER; iifname "docker0" counter accept; }
      chain DOCKER-USER { return; }
    }
    table ip nat { chain POSTROUTING { type nat hook postrouting priority srcnat; ip saddr 172.17.0.0/16 oifname != "docker0" masquerade; } }`;
    await setting.ground.sh(
      `nft -f - <<'END'\n${theirs.replaceAll("; ", ";\n").replaceAll("{ ", "{\n").replaceAll(" }", "\n}")}\nEND`,
    );
    const list = () => setting.ground.sh("nft list table ip filter; nft list table ip nat");
    const before = await list();
    const driver = await setting.driver();
    expect(await driver.run(reach, [...one, ...at(80, ["10.9.9.9"])])).toEqual([
      ...reached,
      ["10.9.9.9", "ECONNREFUSED"],
    ]);
    expect(await list()).toBe(before);
    await driver.close();
    expect(await list()).toBe(before);
    await setting.ground.sh("nft delete table ip filter; nft delete table ip nat");
  });

  it("its rules come back when somebody takes all rules away", async () => {
    const driver = await setting.driver();
    expect(await driver.run(reach, one)).toEqual(reached);
    for (const take of [
      "nft flush ruleset",
      "nft delete table bridge $(nft list tables bridge | grep -o 'mayfly-.*')",
    ]) {
      await setting.ground.sh(take);
      const tables = () => setting.ground.sh("nft list tables");
      await expect.poll(tables, { timeout: 10_000 }).toMatch(/table inet mayfly-.*\ntable bridge mayfly-/);
      expect(await driver.run(reach, [...one, ...at(80, ["10.9.9.9"])])).toEqual([
        ...reached,
        ["10.9.9.9", "ECONNREFUSED"],
      ]);
    }
    expect((await driver.run(async ({ boxes }) => boxes.diagnostics, null)).join()).toContain("they are back");
    await driver.close();
    expect(await setting.ground.sh("nft list tables")).toBe("");
  });

  it("that drop what they do not know are named, with the command that lets boxes pass", async () => {
    await setting.ground.sh(`nft -f - <<'END'
table inet firewall {
  chain forward {
    type filter hook forward priority filter; policy drop;
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname "lo" accept
  }
}
END`);
    const driver = await setting.driver();
    expect(await driver.run(reach, one)).toEqual(all([PUBLIC[0]], "nothing"));
    const said = await driver.run(async ({ boxes }) => boxes.diagnostics, null);
    const commands = said.flatMap((line) => /inet firewall \w+ drops .*: (nft .*)$/.exec(line)?.[1] ?? []);
    expect(commands).toHaveLength(2);
    for (const command of commands) await setting.ground.sh(command);
    expect(await driver.run(reach, one)).toEqual(reached);
    expect((await driver.run(javascript, fetched)).stdout).toBe("200");
    await driver.close();
    await setting.ground.sh("nft delete table inet firewall");
  });
});
