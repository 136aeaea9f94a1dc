import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeHome } from "./home.ts";

const US = { uid: 4242, gid: 4242 };

describe("the home of an instance", () => {
  let dir: string;
  beforeEach(() => {
    // Below /tmp, whose folders mkdtemp makes for their owner alone.
    dir = mkdtempSync(join(tmpdir(), "mayfly-home-"));
    rmSync(dir, { recursive: true });
    mkdirSync(dir, { mode: 0o755 });
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

  it("is made with its folders, each for whom it is, whatever the umask", () => {
    const umask = process.umask(0o077);
    try {
      const home = makeHome(join(dir, "a", "b"), US, undefined);
      expect(home.path).toBe(join(dir, "a", "b"));
      expect([mode(join(dir, "a")), mode(home.path)]).toEqual(["755", "755"]);
      const owners = Object.fromEntries(
        readdirSync(home.path).map((name) => [name, statSync(join(home.path, name)).uid]),
      );
      expect(owners).toEqual({
        data: 4242,
        images: 0,
        key: 0,
        redis: 4242,
        registry: 4242,
        run: 4242,
        spool: 0,
        uploads: 4242,
      });
      expect([mode(join(home.path, "key")), mode(home.images)]).toEqual(["600", "700"]);
    } finally {
      process.umask(umask);
    }
  });

  it("keeps its key; one that was cut short is made anew, one that cannot be sent is told of", () => {
    const { key, path } = makeHome(join(dir, "h"), US, undefined);
    expect(key).toMatch(/^mf_[A-Za-z0-9_-]{32}$/);
    expect(makeHome(path, US, undefined).key).toBe(key);
    expect(makeHome(path, US, "given-by-hand").key).toBe("given-by-hand");
    writeFileSync(join(path, "key"), "");
    const again = makeHome(path, US, undefined).key;
    expect(again).not.toBe("");
    expect(readFileSync(join(path, "key"), "utf8")).toBe(`${again}\n`);
    writeFileSync(join(path, "key"), "two words\n");
    expect(() => makeHome(path, US, undefined)).toThrow(`${path}/key holds no key`);
  });

  it("is the same instance by whatever name, another one at another path", () => {
    const home = makeHome(join(dir, "h"), US, undefined);
    symlinkSync(home.path, join(dir, "link"));
    expect(makeHome(join(dir, "link"), US, undefined).instance).toBe(home.instance);
    expect(makeHome(join(dir, "other"), US, undefined).instance).not.toBe(home.instance);
  });

  it.each([
    ["where nothing can be made", () => "/proc/mayfly/home", "/proc/mayfly/home"],
    ["that is a file", () => file("f"), "is no folder"],
    ["below a file", () => join(file("f"), "home"), "f"],
    ["whose sockets' paths would be too long", () => join(dir, "n".repeat(100)), "too long"],
    ["that others cannot reach", () => join(closed(), "home"), "chmod o+x"],
    ["behind a link that leads nowhere", () => link("/nowhere/at/all"), "MAYFLY_HOME"],
  ])("is refused %s, and nothing is made", (_where, path, said) => {
    const at = path();
    const before = readdirSync(dir, { recursive: true });
    expect(() => makeHome(at, US, undefined)).toThrow(said);
    expect(readdirSync(dir, { recursive: true })).toEqual(before);
    expect(existsSync("/nowhere")).toBe(false);
  });

  const file = (name: string) => {
    writeFileSync(join(dir, name), "");
    return join(dir, name);
  };
  const link = (to: string) => {
    symlinkSync(to, join(dir, "l"));
    return join(dir, "l");
  };
  const closed = () => {
    mkdirSync(join(dir, "closed"), { mode: 0o700 });
    return join(dir, "closed");
  };
});
