import { describe, expect, it } from "vitest";
import { BadSetting, DEFAULT_SETTINGS, FIXED_LIMITS, parseSettings } from "./settings.ts";

const parse = (query: string, base = DEFAULT_SETTINGS) => parseSettings(new URLSearchParams(query), base);

describe("settings", () => {
  it("are read as users write them", () => {
    const settings = parse(
      "memory=256MiB&cpu=500m&timeout=1500ms&tmp=1GiB&pids=32&network=none&access=key&contract=fetch&env.A=1&label.team=x",
    );
    expect(settings).toMatchObject({
      memory_bytes: 256 * 2 ** 20,
      cpu_millis: 500,
      timeout_ms: 1500,
      tmp_bytes: 2 ** 30,
      pids: 32,
      access: "key",
      contract: "fetch",
      env: { A: "1" },
      label: { team: "x" },
    });
  });

  it("that are not named carry over, and the version before stays as it was", () => {
    const before = parse("memory=256MiB&env.A=1");
    const after = parse("env.B=2", before);
    expect(after.memory_bytes).toBe(256 * 2 ** 20);
    expect(after.env).toEqual({ A: "1", B: "2" });
    expect(before.env).toEqual({ A: "1" });
  });

  it("that are null go back to their default; a variable or a label is taken away", () => {
    const before = parse("memory=256MiB&access=key&entry=a.ts&env.A=1&env.B=2&label.x=y");
    const after = parseSettings(
      ["memory", "access", "entry", "env.A", "env.C", "label.x"].map((name) => [name, null] as const),
      before,
    );
    expect(after).toEqual({ ...DEFAULT_SETTINGS, env: { B: "2" } });
    expect(() => parseSettings([["colour", null]], before)).toThrow(BadSetting);
    expect(() => parseSettings([["env.1", null]], before)).toThrow(BadSetting);
  });

  it.each([
    ["memory=lots", "memory", /write it like 128MiB/],
    ["memory=1KiB", "memory", /outside of/],
    ["memory=-5", "memory", /cannot read/],
    ["timeout=1h5", "timeout", /cannot read/],
    ["cpu=1e9", "cpu", /cannot read/],
    ["pids=1.5", "pids", /cannot read/],
    ["access=secret", "access", /none of public, key/],
    ["entry=../x.ts", "entry", /no path inside/],
    ["entry=/etc/passwd", "entry", /no path inside/],
    ["env.1A=x", "env.1A", /letters, digits/],
    ["env.MAYFLY_KEY=x", "env.MAYFLY_KEY", /set by the platform/],
    ["env.A=%00", "env.A", /NUL/],
    ["env.__proto__=1", "env.__proto__", /would be lost/],
    ["dockerfile=Dockerfile", "dockerfile", /no such setting/],
    ["colour=red", "colour", /no such setting; there are memory/],
    ["constructor=1", "constructor", /no such setting/],
    ["__proto__=1", "__proto__", /no such setting/],
  ])("refuse %s and say which and what would be right", (query, setting, message) => {
    const error = (() => {
      try {
        parse(query);
      } catch (thrown) {
        return thrown;
      }
      return null;
    })();
    expect(error).toBeInstanceOf(BadSetting);
    expect((error as BadSetting).setting).toBe(setting);
    expect((error as BadSetting).message).toMatch(message);
  });

  it("refuse an environment that is too large", () => {
    expect(() => parseSettings([["env.A", "x".repeat(FIXED_LIMITS.env_bytes)]], DEFAULT_SETTINGS)).toThrow(
      /takes \d+ bytes/,
    );
  });
});
