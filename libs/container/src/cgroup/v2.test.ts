import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cgroupV2 } from "./v2.ts";

// Files that look like the kernel's: a machine whose root has not enabled a controller cannot be had in a test without taking it from others.
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "mayfly-v2-test-"));
  mkdirSync(join(root, "mayfly"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
const control = (): string => join(root, "mayfly", "cgroup.subtree_control");
const parent = (controllers: string, enabled: string): void => {
  writeFileSync(join(root, "mayfly", "cgroup.controllers"), `${controllers}\n`);
  writeFileSync(control(), `${enabled}\n`);
};

describe("cgroupV2", () => {
  it("enables in our parent what is not enabled yet, io when it is offered", () => {
    parent("cpuset cpu io memory pids", "cpu ");
    cgroupV2(root, 100_000).prepareParent("mayfly");
    expect(readFileSync(control(), "utf8")).toBe("+memory +pids +io");
  });

  it("does without io", () => {
    parent("cpu memory pids", "cpu memory pids");
    cgroupV2(root, 100_000).prepareParent("mayfly");
    expect(readFileSync(control(), "utf8")).toBe("cpu memory pids\n");
  });

  it("asks for a controller that the root keeps from its children, and does not take it", () => {
    parent("cpu pids", "");
    expect(() => cgroupV2(root, 100_000).prepareParent("mayfly")).toThrow(
      `use memory of ${root}/cgroup.subtree_control: ENOENT; enable it: echo "+memory +io" > ${root}/cgroup.subtree_control`,
    );
  });
});
