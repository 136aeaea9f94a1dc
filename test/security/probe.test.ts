import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BoxSpec, Protection } from "../../libs/container/src/index.ts";
import { TestBoxes } from "../../libs/container/src/testing/boxes.ts";
import {
  ALLOWED,
  BY_CAPABILITIES,
  BY_FILTER,
  BY_FILTER_AND_MORE,
  BY_NAMESPACE_LIMITS,
  IN_A_FUNCTION,
  MASKED,
  MASKED_WHERE_PRESENT,
  READ_ONLY,
  type Row,
} from "./rows.ts";

/**
 * The probe (libs/container/native/probe) runs in boxes and is refused, with the answer of our own layer; then again with that layer
 * switched off, where the same attempt must come to something else.
 */
type Answers = Readonly<Record<string, string>>;
let boxes: TestBoxes;
beforeAll(async () => {
  boxes = await TestBoxes.open({ allowUnprotected: true });
});
afterAll(() => boxes?.close());

const ROOT: Partial<BoxSpec> = { user: { uid: 0, gid: 0, groups: [] } };

async function probe(changes: Partial<BoxSpec> = {}, unprotected: readonly Protection[] = []): Promise<Answers> {
  const { ending, stdout, stderr } = await boxes.run(
    boxes.spec(["/bin/probe"], { channel: true, ...changes, test: { unprotected } }),
  );
  expect([ending, stderr]).toEqual([{ kind: "exit", code: 0 }, ""]);
  return JSON.parse(stdout) as Answers;
}

const answersOf = (answers: Answers, rows: readonly Row[]) => rows.map(({ attempt }) => [attempt, answers[attempt]]);
const wanted = (rows: readonly Row[]) => rows.map(({ attempt, answer }) => [attempt, answer]);
const otherwise = (rows: readonly Row[]) => rows.map(({ attempt, unless }) => [attempt, unless]);

describe("a function's box", () => {
  let inside: Answers;
  beforeAll(async () => {
    inside = await probe();
  });

  it("is a process without privileges, in a world of its own", () => {
    expect(inside).toMatchObject(IN_A_FUNCTION);
  });

  it("refuses what its filter does not know, by the filter", () => {
    const rows = [...BY_FILTER, ...BY_FILTER_AND_MORE];
    expect(answersOf(inside, rows)).toEqual(wanted(rows));
  });

  it("is killed by the filter for a call of another architecture, where the kernel takes such calls at all", async () => {
    const open = await probe({}, ["seccomp"]);
    const refusedByKernel = open["i386 call"] === "signal 11"; // ia32_emulation=0, or a machine without it: int 0x80 is a fault
    expect(inside["i386 call"]).toBe(refusedByKernel ? "signal 11" : "signal 31");
  });

  it("hides what /proc tells of the host", () => {
    for (const path of MASKED) expect([path, inside[path]]).toEqual([path, "masked"]);
    for (const path of MASKED_WHERE_PRESENT) expect(inside[path], path).toMatch(/^(masked|ENOENT)$/);
    expect(answersOf(inside, READ_ONLY)).toEqual(wanted(READ_ONLY));
  });

  it("lets a program do ordinary things", () => {
    expect(ALLOWED.map((attempt) => [attempt, inside[attempt]])).toEqual(ALLOWED.map((attempt) => [attempt, "ok"]));
  });

  it("is no different when layers are mounted without its ids", async () => {
    const { ending, stdout } = await boxes.run(boxes.spec(["/bin/probe"], { channel: true, test: { idmap: "off" } }));
    expect(ending).toEqual({ kind: "exit", code: 0 });
    expect(JSON.parse(stdout)).toEqual(inside);
  });

  it("as root of the box has no capability, by file, by bounding set or otherwise", async () => {
    const root = await probe(ROOT, ["seccomp"]);
    expect(answersOf(root, BY_CAPABILITIES)).toEqual(wanted(BY_CAPABILITIES));
  });
});

describe("a build step's box", () => {
  it("has the capabilities that package managers need, and no other", async () => {
    const inside = await probe({ ...ROOT, profile: "build" });
    // CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETFCAP
    expect(inside).toMatchObject({ "CapEff:": "00000000800000fb", "CapBnd:": "00000000800000fb", ids: "0:0" });
    expect(inside).toMatchObject({ "CapInh:": "0000000000000000", "CapAmb:": "0000000000000000", "NoNewPrivs:": "1" });
    const same = [...BY_FILTER, ...BY_FILTER_AND_MORE].filter(
      ({ attempt }) => !["ptrace", "process_vm_readv", "kcmp", "name_to_handle_at"].includes(attempt),
    );
    const rows = same.filter(({ attempt }) => attempt !== "calls that got through");
    expect(answersOf(inside, rows)).toEqual(wanted(rows));
  });
});

describe("a control run", () => {
  it("without the filter gets what the filter refused", async () => {
    const open = await probe({}, ["seccomp"]);
    expect(answersOf(open, BY_FILTER)).toEqual(otherwise(BY_FILTER));
    expect(open["calls that got through"]!.split(" ").length).toBeGreaterThan(60);
  });

  it("of root with every capability is still refused a namespace by the limits, and gets it without them", async () => {
    const limited = await probe(ROOT, ["seccomp", "capabilities"]);
    expect(answersOf(limited, BY_NAMESPACE_LIMITS)).toEqual(wanted(BY_NAMESPACE_LIMITS));
    const open = await probe(ROOT, ["seccomp", "capabilities", "namespace_limits"]);
    expect(answersOf(open, BY_NAMESPACE_LIMITS)).toEqual(otherwise(BY_NAMESPACE_LIMITS));
    expect(answersOf(open, BY_CAPABILITIES)).toEqual(otherwise(BY_CAPABILITIES));
    // And root of a box with all of this off still mounts nothing: its mount namespace is the host's.
    expect(open).toMatchObject({ "mount tmpfs": "EPERM", "umount /proc": "EPERM", "raw socket": "EPERM" });
  });

  it("without masks sees what they hide", async () => {
    const open = await probe({}, ["masks"]);
    for (const path of MASKED) expect([path, open[path]]).toEqual([path, "shown"]);
    expect(answersOf(open, READ_ONLY)).toEqual(otherwise(READ_ONLY));
  });
});

describe("a launcher as production starts it", () => {
  it("refuses to switch a protection off", async () => {
    const strict = await TestBoxes.open();
    try {
      const { ending } = await strict.run(strict.probe("exit 0", { test: { unprotected: ["seccomp"] } }));
      expect(ending).toMatchObject({ kind: "refused", step: "protections cannot be switched off here" });
    } finally {
      await strict.close();
    }
  });
});
