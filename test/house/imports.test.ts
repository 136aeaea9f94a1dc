import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

/** Who may import whom (docs/architecture.md). Arrows point from verbs to nouns; what is not listed is refused. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "libs/contract": [],
  "libs/sqlite": [],
  "libs/container": ["contract"],
  "libs/image": ["contract"],
  "libs/queue": ["contract"],
  "libs/runtime": ["contract"],
  "libs/catalog": ["contract", "sqlite"],
  "libs/ledger": ["contract", "sqlite"],
  "libs/build": ["contract", "image", "runtime"],
  "apps/gateway": ["contract", "queue", "catalog", "ledger", "image"],
  "apps/worker": ["contract", "container", "image", "build", "queue", "ledger", "runtime"],
  // Of build: the patterns of .dockerignore.
  "apps/cli": ["contract", "infra", "build"],
  infra: ["contract", "container", "image", "queue"],
};
/** Packages from outside that exactly one of ours may import. */
const ONLY_IN: Record<string, string> = {
  bullmq: "libs/queue",
  ioredis: "libs/queue",
  hono: "apps/gateway",
  "@hono/node-server": "apps/gateway",
  commander: "apps/cli",
  yauzl: "libs/build",
};

interface Import {
  readonly file: string;
  readonly pkg: string;
  readonly specifier: string;
}

const imports = Object.keys(MAY_IMPORT).flatMap((pkg) =>
  sources(join(ROOT, pkg)).flatMap((file) => importsOf(pkg, file)),
);

describe("imports", () => {
  it("are found at all", () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it("between our packages follow the map", () => {
    const wrong = imports.filter(({ specifier, pkg }) => {
      const ours = /^@mayfly\/([^/]+)(\/.*)?$/.exec(specifier);
      return ours !== null && (ours[2] !== undefined || !MAY_IMPORT[pkg]!.includes(ours[1]!));
    });
    expect(wrong).toEqual([]);
  });

  it("never reach into another package by a path", () => {
    const wrong = imports.filter(({ specifier, file, pkg }) => {
      if (!specifier.startsWith(".")) return false;
      const target = relative(join(ROOT, pkg), resolve(dirname(join(ROOT, file)), specifier));
      return target.startsWith("..");
    });
    expect(wrong).toEqual([]);
  });

  it("of bullmq, ioredis, hono and the like stay in the one package that owns them", () => {
    const wrong = imports.filter(({ specifier, pkg }) => {
      const name = specifier.startsWith("@") ? specifier.split("/").slice(0, 2).join("/") : specifier.split("/")[0]!;
      return ONLY_IN[name] !== undefined && ONLY_IN[name] !== pkg;
    });
    expect(wrong).toEqual([]);
  });

  it("of packages are declared by the package that imports", () => {
    const wrong = imports.filter(({ specifier, pkg }) => {
      if (specifier.startsWith(".") || specifier.startsWith("node:") || builtinModules.includes(specifier))
        return false;
      const name = specifier.startsWith("@") ? specifier.split("/").slice(0, 2).join("/") : specifier.split("/")[0]!;
      const manifest = JSON.parse(readFileSync(join(ROOT, pkg, "package.json"), "utf8"));
      return !(name in { ...manifest.dependencies, ...manifest.devDependencies });
    });
    expect(wrong).toEqual([]);
  });
});

function sources(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes("node_modules") && !file.includes("/fixtures/"));
}

function importsOf(pkg: string, file: string): Import[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const found = text.matchAll(/^(?:import|export)\s(?:[^"';]*?\sfrom\s)?"([^"]+)"|\bimport\("([^"]+)"\)/gm);
  return [...found].map((match) => ({ file, pkg, specifier: match[1] ?? match[2]! }));
}
