import { describe, expect, it } from "vitest";
import { BadOption, startOptions } from "./start-options.ts";

describe("npm start", () => {
  it("needs nothing to be said", () => {
    expect(startOptions([], { MAYFLY_KEY: "", MAYFLY_HOME: "" })).toEqual({
      once: false,
      verbose: false,
      home: "/var/lib/mayfly",
      listen: "127.0.0.1:8080",
      key: undefined,
      redisUrl: undefined,
      concurrency: undefined,
      nursery: "on",
      readyMemory: undefined,
      logLevel: "info",
      buildVariables: {},
      buildCa: undefined,
      egressAllow: undefined,
      registries: undefined,
      registryCa: undefined,
    });
  });

  it("takes what is said", () => {
    const env = {
      MAYFLY_HOME: "/srv/m",
      MAYFLY_LISTEN: "[::1]:0",
      MAYFLY_KEY: "mf_12345678",
      MAYFLY_REDIS_URL: "rediss://u:p%20q@redis.example:6380/2",
      MAYFLY_CONCURRENCY: "3",
      MAYFLY_NURSERY: "off",
      MAYFLY_READY_MEMORY: "64MiB",
      MAYFLY_LOG_LEVEL: "debug",
      MAYFLY_BUILD_ENV: "HTTPS_PROXY, NPM_CONFIG_REGISTRY=https://npm.example/?a=b",
      HTTPS_PROXY: "http://proxy.example:3128",
      MAYFLY_BUILD_CA: "/etc/ssl/certs/ca-certificates.crt",
      MAYFLY_EGRESS_ALLOW: "10.1.2.3:443",
      MAYFLY_REGISTRIES: "registry.example:5000/team,docker.io",
      MAYFLY_REGISTRY_CA: "/etc/ssl/certs/ca-certificates.crt",
    };
    expect(startOptions(["--once", "--verbose"], env)).toEqual({
      once: true,
      verbose: true,
      home: "/srv/m",
      listen: "[::1]:0",
      key: "mf_12345678",
      redisUrl: "rediss://u:p%20q@redis.example:6380/2",
      concurrency: "3",
      nursery: "off",
      readyMemory: 64 * 1024 * 1024,
      logLevel: "debug",
      buildVariables: {
        HTTPS_PROXY: "http://proxy.example:3128",
        NPM_CONFIG_REGISTRY: "https://npm.example/?a=b",
      },
      buildCa: "/etc/ssl/certs/ca-certificates.crt",
      egressAllow: "10.1.2.3:443",
      registries: "registry.example:5000/team,docker.io",
      registryCa: "/etc/ssl/certs/ca-certificates.crt",
    });
  });

  it.each([
    ["MAYFLY_HOME", ["relative", "./x"]],
    ["MAYFLY_LISTEN", ["8080", ":8080", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "::1:8080", "http://a:1"]],
    ["MAYFLY_KEY", ["short", "with space in it", "schlüssel-schlüssel"]],
    ["MAYFLY_REDIS_URL", ["localhost:6379", "http://a", "redis://", "redis://a/b"]],
    ["MAYFLY_CONCURRENCY", ["abc", "0", "-1", "1.5", "1001"]],
    ["MAYFLY_NURSERY", ["yes"]],
    ["MAYFLY_READY_MEMORY", ["much", "-1", "1 box"]],
    ["MAYFLY_LOG_LEVEL", ["loud"]],
    ["MAYFLY_BUILD_ENV", ["NOT_SET_HERE", "1A=b", "=x"]],
    ["MAYFLY_BUILD_CA", ["ca.pem", "/nowhere/ca.pem", "/etc/hostname"]],
    ["MAYFLY_EGRESS_ALLOW", ["10.1.2.3", "registry.example:443"]],
    ["MAYFLY_REGISTRIES", ["registry", "https://registry.example", "docker.io,"]],
    ["MAYFLY_REGISTRY_CA", ["ca.pem", "/nowhere/ca.pem", "/etc/hostname"]],
    ["MAYFLY_DATABASE_URL", ["postgres://a/b"]],
  ])("refuses a %s that cannot be used, by its name", (name, values) => {
    for (const value of values) {
      expect(() => startOptions([], { [name]: value }), value).toThrow(BadOption);
      expect(() => startOptions([], { [name]: value }), value).toThrow(name);
    }
  });

  it("refuses an option that is none, naming it", () => {
    expect(() => startOptions(["--bogus"], {})).toThrow(/--bogus.*--help/);
    expect(() => startOptions(["extra"], {})).toThrow(/extra.*--help/);
    expect(() => startOptions(["--once=yes"], {})).toThrow(/--once.*--help/);
  });
});
