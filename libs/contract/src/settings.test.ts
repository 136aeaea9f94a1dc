import { describe, expect, it } from "vitest";
import { FIXED_LIMITS } from "./limits.ts";
import { BadSetting, DEFAULT_SETTINGS, parseSettings, type Settings, SettingsSchema } from "./settings.ts";

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
    ["entry=../x.ts", "entry", /not a path inside/],
    ["entry=/etc/passwd", "entry", /not a path inside/],
    ["dockerfile=../Dockerfile", "dockerfile", /not a path inside the context/],
    ["target=a/b", "target", /the name or the number of a stage/],
    ["build-arg.1=x", "build-arg.1", /a name is/],
    ["build-arg.__proto__=x", "build-arg.__proto__", /would be lost/],
    ["env.1A=x", "env.1A", /letters, digits/],
    ["env.MAYFLY_KEY=x", "env.MAYFLY_KEY", /set by the platform/],
    ["env.A=%00", "env.A", /NUL/],
    ["env.__proto__=1", "env.__proto__", /would be lost/],
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

  it("of a Dockerfile are read as they stand", () => {
    expect(parse("dockerfile=docker/Dockerfile&target=build&build-arg.A=1&build-arg.MAYFLY_X=2")).toMatchObject({
      dockerfile: "docker/Dockerfile",
      target: "build",
      build_arg: { A: "1", MAYFLY_X: "2" },
    });
    const before = parse("dockerfile=D&target=build&build-arg.A=1&build-arg.B=2");
    const after = parseSettings(
      ["dockerfile", "target", "build-arg.A"].map((name) => [name, null] as const),
      before,
    );
    expect(after).toEqual({ ...DEFAULT_SETTINGS, build_arg: { B: "2" } });
  });

  it("of an older Mayfly's version are complete", () => {
    const { dockerfile: _, target: __, build_arg: ___, ...older } = DEFAULT_SETTINGS;
    expect(SettingsSchema.parse(older)).toEqual(DEFAULT_SETTINGS);
    expect(parseSettings([], older as Settings)).toEqual(DEFAULT_SETTINGS);
  });
});
