import { describe, expect, it } from "vitest";
import { parseResolvers } from "./resolvers.ts";

describe("the host's list of resolvers", () => {
  it.each([
    ["one", "nameserver 192.0.2.53\n", ["192.0.2.53"]],
    ["comments and options", "# nameserver 10.0.0.1\noptions rotate\n  nameserver\t9.9.9.9\n", ["9.9.9.9"]],
    ["IPv6, with its scope", "nameserver fe80::1%eth0\nnameserver 2001:db8::53\n", ["fe80::1%eth0", "2001:db8::53"]],
    [
      "three at most",
      "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4",
      ["1.1.1.1", "1.1.1.2", "1.1.1.3"],
    ],
    ["what is no address", "nameserver dns.example\n", ["127.0.0.1"]],
    ["nothing", "", ["127.0.0.1"]],
  ])("%s", (_, text, resolvers) => expect(parseResolvers(text)).toEqual(resolvers));
});
