import { existsSync, readFileSync } from "node:fs";
import { join, matchesGlob } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../infra/src/root.ts";
import { selected } from "./select.ts";

it("RULES.md names cases and tests that are there", () => {
  const text = readFileSync(join(import.meta.dirname, "RULES.md"), "utf8");
  const held = [...text.matchAll(/^\|.*\| (.*) \|$/gm)].map((match) => match[1]!).join(" ");
  const named = [...held.matchAll(/`([^`]+\/[^`]+)`/g)].map((match) => match[1]!);
  const cases = selected("**", null).map(({ name }) => name);
  const isThere = (name: string) =>
    name.endsWith(".ts") ? existsSync(join(ROOT, name)) : cases.some((one) => matchesGlob(one, name));
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((name) => !isThere(name))).toEqual([]);
});
