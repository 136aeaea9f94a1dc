import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Driver } from "./testing/ground.ts";
import { at, javascript, RESOLVER, reach } from "./testing/reach.ts";
import { openSetting, type Setting } from "./testing/setting.ts";

let setting: Setting;
let driver: Driver;
beforeAll(async () => {
  setting = await openSetting();
  driver = await setting.driver();
});
afterAll(async () => {
  await driver?.close();
  await setting?.close();
});

const FETCH = `fetch("http://203-0-113-10.test/").then((r) => console.log(r.status), (e) => console.log(e.cause.code))`;
/** As long as the list of resolvers is taken for fresh. */
const RENEWED_MS = 2_100;
const renewed = () => new Promise((resolve) => setTimeout(resolve, RENEWED_MS));

describe("names in a box with a network", () => {
  it("are what the host's resolver says, though it is in a private network, and it is not reached by itself", async () => {
    expect((await driver.run(javascript, FETCH)).stdout).toBe("200");
    expect(await driver.run(reach, at(53, [RESOLVER]))).toEqual([[RESOLVER, "ECONNREFUSED"]]);
  });

  it("are asked for over TCP as well", async () => {
    const script = `
      const server = /nameserver (.*)/.exec(fs.readFileSync("/etc/resolv.conf", "utf8"))[1];
      const name = Buffer.from("\\x0c203-0-113-10\\x04test\\0", "latin1");
      const question = Buffer.concat([Buffer.from([7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), name, Buffer.from([0, 1, 0, 1])]);
      const socket = require("node:net").connect(53, server, () => socket.write(Buffer.concat([Buffer.from([0, question.length]), question])));
      const parts = []; socket.on("data", (part) => parts.push(part)).on("end", () => { console.log(Buffer.concat(parts).subarray(-4).join(".")); socket.end(); });`;
    expect((await driver.run(javascript, script)).stdout).toBe("203.0.113.10");
  });

  it("that lead to a private address lead to a refusal", async () => {
    const rebound = FETCH.replace("203-0-113-10", "169-254-169-254");
    expect((await driver.run(javascript, rebound)).stdout).toBe("ECONNREFUSED");
  });

  it("are found when the host's resolver listens on loopback", async () => {
    writeFileSync(setting.resolvConf, "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n");
    await renewed();
    expect((await driver.run(javascript, FETCH)).stdout).not.toBe("200");
    await driver.run(async ({ serveNames }, address) => serveNames(address), "127.0.0.53");
    expect((await driver.run(javascript, FETCH)).stdout).toBe("200");
  });

  it("are asked of the next resolver when one does not answer", async () => {
    writeFileSync(setting.resolvConf, `nameserver 127.0.0.54\nnameserver 10.53.53.99\nnameserver ${RESOLVER}\n`);
    await renewed();
    expect((await driver.run(javascript, FETCH)).stdout).toBe("200");
  });

  it("cannot be changed from inside: the file is read-only", async () => {
    const script = `try { fs.writeFileSync("/etc/resolv.conf", "x"); console.log("written") } catch (e) { console.log(e.code) }`;
    expect((await driver.run(javascript, script)).stdout).toBe("EROFS");
  });
});
