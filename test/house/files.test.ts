import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .trim()
  .split("\n")
  .filter((file) => existsSync(join(ROOT, file)));

describe("the house", () => {
  it("has no file that holds more than one idea: over 300 lines of TypeScript or 500 of C", () => {
    const long = files
      .filter((file) => /\.(ts|tsx|mjs|c|h)$/.test(file))
      .map((file) => ({ file, lines: readFileSync(join(ROOT, file), "utf8").split("\n").length }))
      .filter(({ file, lines }) => lines > (/\.[ch]$/.test(file) ? 500 : 300));
    expect(long).toEqual([]);
  });

  it("calls nothing utils, common, helpers, shared, manager or misc", () => {
    const vague = files.filter((file) =>
      /(^|\/)(utils?|common|helpers?|shared|managers?|misc)(\.[a-z.]+$|\/)/.test(file),
    );
    expect(vague).toEqual([]);
  });

  it("promises nothing in the specification whose test is not there", () => {
    const text = readFileSync(join(ROOT, "docs", "specification.md"), "utf8");
    const named = [...text.matchAll(/`((?:apps|libs|infra|test)\/[^`]+)`/g)].map((match) => match[1]!);
    const pattern = (name: string) => new RegExp(`^${name.replaceAll(".", "\\.").replaceAll("*", "[^/]+")}$`);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !files.some((file) => pattern(name).test(file)))).toEqual([]);
  });

  it("gives every package a README of at most 40 lines", () => {
    const packages = files.filter((file) => basename(file) === "package.json" && file !== "package.json");
    const wrong = packages.filter((file) => {
      const readme = join(ROOT, file.replace("package.json", "README.md"));
      return !existsSync(readme) || readFileSync(readme, "utf8").trimEnd().split("\n").length > 40;
    });
    expect(wrong).toEqual([]);
  });

  it("locks every optional dependency, so that npm ci can run everywhere", () => {
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    const names = new Set(Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, "")));
    const missing = Object.entries<{ optionalDependencies?: Record<string, string> }>(lock.packages).flatMap(
      ([path, entry]) =>
        Object.keys(entry.optionalDependencies ?? {})
          .filter((name) => !names.has(name))
          .map((name) => `${path}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it("locks no download address", () => {
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    const addressed = Object.entries<{ resolved?: string }>(lock.packages).filter(([, entry]) =>
      /^https?:/.test(entry.resolved ?? ""),
    );
    expect(addressed).toEqual([]);
  });

  it("runs on the majors that were chosen, not on what an older Node would pick", () => {
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    const major = (name: string) => Number(lock.packages[`node_modules/${name}`].version.split(".")[0]);
    expect([major("vitest"), major("commander"), major("bullmq"), major("zod")]).toEqual([5, 15, 6, 4]);
  });
});
