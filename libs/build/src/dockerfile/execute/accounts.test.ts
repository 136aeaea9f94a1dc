import { describe, expect, it } from "vitest";
import { accountOf } from "./accounts.ts";

const FILES = {
  passwd:
    "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n4294967296:x:0:0::/root:/bin/sh\ntwin:x:1000:9::/twin:\n77:x:1000:9::/:\nhuge:x:4294967296:0::/:\nnone:x::0::/:\n",
  group: "root:x:0:\napp:x:1001:\nextra:x:50:app,other\nweb:x:60:app\nhuge:x:4294967296:\n",
};
const NOTHING = { passwd: null, group: null };

describe("USER names who a program is", () => {
  it.each([
    ["", { uid: 0, gid: 0, groups: [], home: "/root" }],
    ["app", { uid: 1000, gid: 1001, groups: [50, 60], home: "/home/app" }],
    ["1000", { uid: 1000, gid: 1001, groups: [50, 60], home: "/home/app" }],
    ["app:web", { uid: 1000, gid: 60, groups: [], home: "/home/app" }],
    ["app:7", { uid: 1000, gid: 7, groups: [], home: "/home/app" }],
    ["2000", { uid: 2000, gid: 0, groups: [], home: "/" }],
    ["2000:2001", { uid: 2000, gid: 2001, groups: [], home: "/" }],
    ["app:", { uid: 1000, gid: 1001, groups: [50, 60], home: "/home/app" }],
    [":web", { uid: 0, gid: 60, groups: [], home: "/root" }],
    ["twin", { uid: 1000, gid: 9, groups: [], home: "/home/app" }],
    ["77", { uid: 77, gid: 0, groups: [], home: "/" }],
    ["00001000", { uid: 1000, gid: 1001, groups: [50, 60], home: "/home/app" }],
  ])("%j", (user, account) => {
    expect(accountOf(user, FILES)).toEqual(account);
  });
  it("by numbers alone where the image has no account files", () => {
    expect(accountOf("65534:65534", NOTHING)).toEqual({ uid: 65534, gid: 65534, groups: [], home: "/" });
    expect(() => accountOf("app", NOTHING)).toThrow("no such user: app");
  });

  // A number that overflows must not become root.
  it.each([
    ["4294967296", "CVE-2024-40635, although passwd has it for a name of root"],
    ["2147483648", "CVE-2026-46680"],
    ["99999999999999", "CVE-2024-40635"],
    ["18446744073709551616", "CVE-2024-40635"],
    ["-1", "(uid_t) -1 is nobody's"],
    ["+0", "a sign"],
    ["1000:4294967296", "its group"],
    ["1000:-1", "its group"],
    ["huge", "a name whose number in passwd is none"],
    ["none", "a name without a number"],
    ["app:huge", "a group whose number in group is none"],
    ["0x0", "another base"],
    ["1e3", "an exponent"],
    ["1000 ", "a blank"],
    ["app\nroot", "a line's end"],
    ["nobody", "a name that nobody has"],
    ["ro", "the beginning of a name"],
  ])("and %j is refused: %s", (user) => {
    expect(() => accountOf(user, FILES)).toThrow();
  });
});
