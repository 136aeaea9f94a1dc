import { describe, expect, it } from "vitest";
import { type Given, historyOf, lastOf, PATH, planOf } from "../../testing/plans.ts";
import type { RunStep } from "./step.ts";

/** What the last RUN of the build sees besides PATH, and what tells it from other RUNs. */
function lastRun(source: string, given?: Given) {
  const { env, command } = lastOf(source, given).steps.at(-1) as RunStep;
  return { env: env.filter((pair) => pair !== PATH), command };
}

/** [what it shows, Dockerfile, build arguments, variables of the last RUN] */
const SEEN: readonly (readonly [string, string, Record<string, string>, readonly string[]])[] = [
  ["an ARG's default", "FROM a\nARG x=1\nRUN r", {}, ["x=1"]],
  ["a build argument wins over the default", "FROM a\nARG x=1\nRUN r", { x: "2" }, ["x=2"]],
  ["a build argument for an ARG without default", "FROM a\nARG x\nRUN r", { x: "2" }, ["x=2"]],
  ["an empty build argument is one", "FROM a\nARG x=1\nRUN r", { x: "" }, ["x="]],
  ["an ARG without any value is not set", "FROM a\nARG x\nRUN r", {}, []],
  ["a build argument that no ARG names is not seen", "FROM a\nRUN r", { x: "2" }, []],
  ["an ARG is seen from its line on", "FROM a\nRUN r\nARG x=1", {}, []],
  ["a global ARG is not seen in a stage", "ARG x=1\nFROM a\nRUN r", {}, []],
  ["an ARG without default takes the global one's value", "ARG x=1\nFROM a\nARG x\nRUN r", {}, ["x=1"]],
  ["an ARG's own default wins over the global one", "ARG x=1\nFROM a\nARG x=2\nRUN r", {}, ["x=2"]],
  ["a build argument wins over both", "ARG x=1\nFROM a\nARG x=2\nRUN r", { x: "3" }, ["x=3"]],
  ["a global ARG may use another", "ARG x=1\nARG y=$x-2\nFROM a\nARG y\nRUN r", {}, ["y=1-2"]],
  ["a global ARG sees build arguments of another", "ARG x=1\nARG y=$x-2\nFROM a\nARG y\nRUN r", { x: "9" }, ["y=9-2"]],
  ["ARGs of a line see those before them", "FROM a\nARG x=1 y=$x\nRUN r", {}, ["x=1", "y=1"]],
  ["a stage has the ARGs of the stage that it is from", "FROM a AS s\nARG x=1\nFROM s\nRUN r", {}, ["x=1"]],
  ["and not those of others", "FROM a AS s\nARG x=1\nFROM a\nCOPY --from=s f /\nRUN r", {}, []],
  ["an ENV wins over an ARG before it", "FROM a\nARG x=1\nENV x=2\nRUN r", { x: "3" }, ["x=2"]],
  ["an ARG after an ENV hides it", "FROM a\nENV x=2\nARG x=1\nRUN r", {}, ["x=1"]],
  ["but not in a stage on top", "FROM a AS s\nENV x=2\nARG x=1\nFROM s\nRUN r", {}, ["x=2"]],
  ["platform arguments must be asked for", "FROM a\nRUN r", {}, []],
  [
    "platform arguments",
    "FROM a\nARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM\nRUN r",
    {},
    ["TARGETPLATFORM=linux/amd64", "TARGETOS=linux", "TARGETARCH=amd64", "TARGETVARIANT=", "BUILDPLATFORM=linux/amd64"],
  ],
  ["the target's name", "FROM a AS prod\nARG TARGETSTAGE\nRUN r", {}, ["TARGETSTAGE=prod"]],
  [
    "a platform argument may be given",
    "FROM a\nARG TARGETARCH\nRUN r",
    { TARGETARCH: "riscv64" },
    ["TARGETARCH=riscv64"],
  ],
  ["BuildKit's settings are no variables", "FROM a\nARG BUILDKIT_SBOM_SCAN_STAGE=true\nRUN r", {}, []],
  ["a proxy that was given is not among them", "FROM a\nRUN r", { HTTP_PROXY: "p" }, []],
  ["unless an ARG asks for it", "FROM a\nARG HTTP_PROXY\nRUN r", { HTTP_PROXY: "p" }, ["HTTP_PROXY=p"]],
  ["an ARG in quotes", "FROM a\nARG x='1 2' y=\"$x\"\nRUN r", {}, ["x=1 2", "y=1 2"]],
];

describe("which variables a RUN sees", () => {
  it.each(SEEN)("%s", (_, source, args, env) => expect(lastRun(source, { args }).env).toEqual(env));

  it.each([
    ["declared ARGs tell RUNs apart", "FROM a\nARG b=1 a=2\nRUN r", {}, "|2 b=1 a=2 /bin/sh -c r"],
    ["those without a value too", "FROM a\nARG x\nRUN r", {}, "|1 x= /bin/sh -c r"],
    ["with the value that an ENV gives", "FROM a\nARG x=1\nENV x=2\nRUN r", {}, "|1 x=2 /bin/sh -c r"],
    ["one declared twice counts once", "FROM a\nARG x=1\nARG y=2\nARG x=3\nRUN r", {}, "|2 x=3 y=2 /bin/sh -c r"],
    ["proxies do not", "FROM a\nRUN r", { http_proxy: "p" }, "/bin/sh -c r"],
    ["those of the stage below do not", "FROM a AS s\nARG x=1\nFROM s\nRUN r", {}, "/bin/sh -c r"],
  ])("%s", (_, source, args, command) => expect(lastRun(source, { args }).command).toBe(command));

  it("proxies that were given reach every RUN, in both cases", () => {
    const run = lastOf("FROM a\nRUN r", { args: { http_proxy: "p", NO_PROXY: "q" } }).steps[0] as RunStep;
    expect(run.proxies).toEqual(["HTTP_PROXY=p", "http_proxy=p", "NO_PROXY=q", "no_proxy=q"]);
  });
});

it.each([
  ["a default", "ARG x=1", {}, "ARG x=1"],
  ["a default that a build argument takes the place of", "ARG x=1", { x: "2" }, "ARG x=1"],
  ["even a wrong one", "ARG x=${", { x: "2" }, "ARG x=${"],
  ["no build argument", "ARG x", { x: "2" }, "ARG x"],
  ["no global value", "ARG g", {}, "ARG g"],
])("the history of an ARG shows %s", (_, line, args, shown) => {
  expect(historyOf(`ARG g=1\nFROM a\n${line}`, { args })).toEqual([shown]);
});

describe("variables of FROM", () => {
  it.each([
    ["a global ARG", "ARG v=1\nFROM a:$v", {}, "a:1"],
    ["a build argument for it", "ARG v=1\nFROM a:${v}", { v: "2" }, "a:2"],
    ["a default in the FROM", "FROM a:${v:-3}", {}, "a:3"],
    ["a platform argument", "FROM a-$TARGETARCH", {}, "a-amd64"],
    ["part of a name", "ARG r=reg.example:5000\nFROM $r/a", {}, "reg.example:5000/a"],
  ])("%s", (_, source, args, reference) => {
    expect(lastOf(source, { args }).base).toEqual({ kind: "image", reference });
  });
  it("an ARG of a stage is not seen in the next FROM", () => {
    expect(() => planOf("FROM a\nARG v=1\nFROM ${v}")).toThrow("should not be blank");
  });
  it("a base may be a stage by a variable", () => {
    expect(planOf("ARG s=x\nFROM a AS x\nFROM $s").stages.map(({ name }) => name)).toEqual(["x", "stage-1"]);
  });
});

it("build arguments that nothing asked for are named", () => {
  const { unused } = planOf("ARG g\nFROM a\nARG x", {
    args: { g: "1", x: "1", y: "1", HTTP_PROXY: "1", BUILDKIT_INLINE_CACHE: "1", TARGETARCH: "x" },
  });
  expect(unused).toEqual(["y"]);
});
