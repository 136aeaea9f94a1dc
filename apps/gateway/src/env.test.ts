import { describe, expect, it } from "vitest";
import { parseEnv } from "./env.ts";

const LEAST = { MAYFLY_HOME: "/h", MAYFLY_LISTEN: "127.0.0.1:8080", MAYFLY_KEY: "12345678", MAYFLY_CHANNEL: "/h/c" };

describe("the environment", () => {
  it("needs little: the rest has defaults", () => {
    expect(parseEnv({ ...LEAST, MAYFLY_CONCURRENCY: "4" })).toMatchObject({
      host: "127.0.0.1",
      port: 8080,
      redis: { path: "/h/run/redis.sock" },
      prefix: "mayfly",
      runAs: null,
      queueLimit: 64,
    });
  });

  it("may name an IPv6 address, another Redis and whom to run as", () => {
    const env = parseEnv({
      ...LEAST,
      MAYFLY_LISTEN: "[::1]:0",
      MAYFLY_REDIS_URL: "redis://:pw@host/2",
      MAYFLY_RUN_AS: "7:8",
    });
    expect(env).toMatchObject({
      host: "::1",
      port: 0,
      redis: { url: "redis://:pw@host/2" },
      runAs: { uid: 7, gid: 8 },
    });
  });

  it.each([
    ["MAYFLY_HOME", "relative"],
    ["MAYFLY_LISTEN", "8080"],
    ["MAYFLY_KEY", "short"],
    ["MAYFLY_CONCURRENCY", "none"],
    ["MAYFLY_RUN_AS", "nobody"],
  ])("says that %s cannot be %s", (name, value) => {
    expect(() => parseEnv({ ...LEAST, [name]: value })).toThrow(name);
  });
});
