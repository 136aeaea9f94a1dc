import { describe, expect, it } from "vitest";
import { type Case, NO_SETTINGS, type Peer } from "./case/case.ts";
import { readGroup } from "./case/group.ts";
import type { Found, Made } from "./made/made.ts";
import { verdictOf } from "./verdict.ts";

const FILE: Found = { type: "file", mode: 0o644, owner: "0:0", mtime_s: 5, content: '"A"', xattrs: "" };
const CASE: Case = { ...NO_SETTINGS, name: "x/y", about: "", context: [] };
const made = (found: Partial<Found> = {}, config = {}): Made => ({
  files: new Map([["a", { ...FILE, ...found }]]),
  config,
});
const wrong = (one: Partial<Case>, ours: Made, theirs: Partial<Record<Peer, Made>>) =>
  verdictOf({ ...CASE, ...one }, ours, new Map(Object.entries(theirs) as [Peer, Made][])).wrong;

describe("the verdict of a case", () => {
  it("is good when all make the same", () => {
    expect(wrong({}, made(), { docker: made(), buildah: made() })).toEqual([]);
  });

  it.each([
    ["type", { type: "symlink" }],
    ["mode", { mode: 0o600 }],
    ["owner", { owner: "1:0" }],
    ["time", { mtime_s: 6 }],
    ["content", { content: '"B"' }],
    ["xattrs", { xattrs: "security.capability=01" }],
  ] as const)("sees another %s", (_, found) => {
    expect(wrong({}, made(found), { docker: made() })).toContainEqual(expect.stringMatching(/^docker: \/a/));
  });

  it("sees what is there with one alone, another config, and who refuses", () => {
    const nothing: Made = { files: new Map(), config: {} };
    expect(wrong({}, nothing, { docker: made() }).join()).toContain("/a");
    expect(wrong({}, made({}, { Cmd: ["a"] }), { docker: made({}, { Cmd: ["b"] }) }).join()).toContain("Cmd");
    expect(wrong({}, made(), { docker: { refused: "no" } }).join()).toContain("refused: no");
    expect(wrong({}, { refused: "no" }, { docker: made() }).join()).toContain("mayfly refuses it: no");
    expect(wrong({ fails: true }, made(), { docker: made() })).toEqual(["mayfly builds it, and it is to be refused"]);
  });

  it("takes a reason for a difference, and no reason without one", () => {
    const one: Partial<Case> = { differs: { buildah: "it is so" } };
    expect(wrong(one, made(), { docker: made(), buildah: made({ mode: 0 }) })).toEqual([]);
    expect(wrong(one, made(), { docker: made(), buildah: made() }).join()).toContain("makes the same of it now");
  });

  it("knows what an engine does everywhere, and of that engine alone", () => {
    const setuid = made({ mode: 0o4755 });
    expect(wrong({}, setuid, { docker: setuid, buildah: made({ mode: 0o755 }) })).toEqual([]);
    expect(wrong({}, setuid, { docker: made({ mode: 0o755 }) })).not.toEqual([]);
  });

  it("holds nothing against who is older than what the Dockerfile says, and does not ask them", () => {
    const is = { type: "file", bytes: Buffer.from("FROM x\nCOPY --link a /\n") } as const;
    const entry = { path: "Dockerfile", is, mode: null, owner: null, mtime_s: 0, xattrs: {} };
    const newer: Partial<Case> = { context: [entry], fails: null };
    expect(wrong(newer, made(), { docker: { refused: "unknown flag" } })).toEqual([]);
    expect(wrong(newer, { refused: "no" }, { docker: { refused: "unknown flag" } }).join()).toContain("refuses it");
    expect(wrong(newer, made(), { docker: made({ mode: 0 }) })).not.toEqual([]);
    expect(wrong({ fails: null }, { refused: "no" }, { docker: { refused: "no" } })).toEqual([]);
    expect(wrong({ fails: null }, made(), { docker: { refused: "no" } })).not.toEqual([]);
    expect(wrong({ fails: null }, { refused: "no" }, {})).not.toEqual([]);
  });

  it("wants what is right stated where nobody agrees with us", () => {
    const alone: Partial<Case> = { differs: { docker: "it is so" } };
    expect(wrong(alone, made(), { docker: made({ mode: 0 }) }).join()).toContain("no expectation is stated");
    const stated = { ...alone, expected: ['a file 644 0:0 "A" @5', "!b"] };
    expect(wrong(stated, made(), { docker: made({ mode: 0 }) })).toEqual([]);
    expect(wrong({ ...stated, expected: ["!a"] }, made(), { docker: made({ mode: 0 }) })).toEqual([
      "there, and not expected: a",
    ]);
  });
});

describe("a file of cases", () => {
  it("is read with its settings, contexts and expectations", () => {
    const [one] = readGroup(
      "g",
      "=== n\nAbout\nit.\n@arg A=b c\n@differs docker why so\n--- Dockerfile\nFROM x\n--- d/ 0700 1:2\n--- expected\n!d\n",
    );
    expect(one).toMatchObject({
      name: "g/n",
      about: "About it.",
      args: { A: "b c" },
      differs: { docker: "why so" },
      expected: ["!d"],
    });
    expect(one!.context).toMatchObject([
      { path: "Dockerfile", is: { type: "file" }, mode: null },
      { path: "d", is: { type: "folder" }, mode: 0o700, owner: "1:2" },
    ]);
  });

  it.each([
    ["=== n\nAbout.\n@nothing\n", "@nothing: there is no such setting"],
    ["=== n\n--- a\n", "does not say what it is about"],
    ["=== n\nAbout.\n--- a 0644 what\n", "nobody knows what"],
    ["=== n\nAbout.\n@differs docker\n", "there is no such setting"],
  ])("that is wrong is refused: %j", (text, message) => {
    expect(() => readGroup("g", text)).toThrow(message);
  });
});
