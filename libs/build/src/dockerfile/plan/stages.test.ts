import { describe, expect, it } from "vitest";
import { lastOf, optionsOf, planOf } from "../../testing/plans.ts";
import type { DockerfileError } from "../source/failure.ts";
import { planBuild } from "./plan.ts";

/** Names of the stages that are built. */
const built = (source: string, target = "") => planOf(source, { target }).stages.map(({ name }) => name);

describe("which stages are built", () => {
  it.each([
    ["one", "FROM a", "", ["stage-0"]],
    ["only the last without a need for others", "FROM a AS x\nFROM b AS y", "", ["y"]],
    ["the base of the last", "FROM a AS x\nFROM x", "", ["x", "stage-1"]],
    ["a chain", "FROM a AS x\nFROM x AS y\nFROM y AS z", "", ["x", "y", "z"]],
    ["what COPY takes from", "FROM a AS x\nFROM b AS q\nFROM b\nCOPY --from=x f /", "", ["x", "stage-2"]],
    ["what COPY takes from by number", "FROM a\nFROM b\nCOPY --from=0 f /", "", ["stage-0", "stage-1"]],
    ["what COPY takes from, in any case", "FROM a AS Build\nFROM b\nCOPY --from=bUILD f /", "", ["build", "stage-1"]],
    ["what RUN mounts", "FROM a AS x\nFROM b\nRUN --mount=from=x,target=/y z", "", ["x", "stage-1"]],
    ["the target by name", "FROM a AS x\nFROM b AS y", "x", ["x"]],
    ["the target in any case", "FROM a AS Xy\nFROM b AS y", "xY", ["xy"]],
    ["the target by number", "FROM a AS x\nFROM b AS y", "0", ["x"]],
    ["not what comes after the target", "FROM a AS x\nFROM x AS y\nRUN no", "x", ["x"]],
    ["the latest of a name", "FROM a AS x\nRUN 1\nFROM b AS x\nFROM x", "", ["x", "stage-2"]],
    ["a stage may take from two", "FROM a AS x\nFROM a AS y\nFROM x\nCOPY --from=y f /", "", ["x", "y", "stage-2"]],
  ])("%s", (_, source, target, names) => expect(built(source, target)).toEqual(names));

  it("a base is a stage before it, an image, or nothing", () => {
    const bases = planOf("FROM a:1 AS x\nFROM x\nCOPY --from=s f /\nFROM scratch AS s\nFROM x AS t\n", { target: "t" });
    expect(bases.stages.map(({ base }) => base)).toEqual([
      { kind: "image", reference: "a:1" },
      { kind: "stage", stage: 0 },
    ]);
    expect(lastOf("FROM scratch").base).toEqual({ kind: "scratch" });
    // A name that only comes later is an image's.
    expect(planOf("FROM later\nFROM a AS later", { target: "0" }).stages[0]!.base).toEqual({
      kind: "image",
      reference: "later",
    });
  });

  it.each([
    ["a stage that takes from itself", "FROM a AS x\nCOPY --from=x f /", "circular dependency detected on stage: x", 2],
    [
      "stages that take from each other",
      "FROM a AS x\nCOPY --from=y f /\nFROM a AS y\nCOPY --from=x f /",
      "circular dependency detected on stage: x",
      4,
    ],
    [
      "COPY from a later stage",
      "FROM a AS x\nCOPY --from=y f /\nFROM a AS y\nFROM x",
      'cannot copy from stage "y", it needs to be defined before current stage "x"',
      2,
    ],
    [
      "a mount from a later stage",
      "FROM a AS x\nRUN --mount=from=y,target=/z b\nFROM a AS y\nFROM x",
      'cannot mount from stage "y"',
      2,
    ],
    ["a number that no stage has", "FROM a\nCOPY --from=7 f /", "invalid stage index 7", 2],
    [
      "a name that can be no image",
      "FROM a AS build\nFROM a\nCOPY --from=Biuld f /",
      'failed to parse stage name "Biuld": invalid reference format',
      3,
    ],
    ["variables in --from", "FROM a\nARG x\nCOPY --from=$x f /", "variable expansion is not supported for --from", 3],
    [
      "a target that is not there",
      "FROM a AS build\nFROM b",
      'target stage "biuld" could not be found (did you mean build?)',
      2,
    ],
    ["a base that is blank", "FROM ${x}", "base name (${x}) should not be blank", 1],
    ["a base that can be no image", "FROM UPPER", 'failed to parse stage name "UPPER": invalid reference format', 1],
    [
      "a base that can be no image, of a stage that nobody needs",
      "FROM a\nFROM UPPER\nFROM a",
      'stage name "UPPER"',
      2,
    ],
    [
      "a stage's name in another case than its own",
      "FROM a AS Base\nFROM Base",
      'failed to parse stage name "Base"',
      2,
    ],
    ["a platform that is none", "FROM --platform=linux/ a", "failed to parse platform linux/", 1],
    ["a platform of too much", "FROM --platform=a/b/c/d a", "cannot parse platform specifier", 1],
    [
      "a platform that is blank",
      "FROM --platform=$BUILDPLATFROM a",
      "empty platform value from expression $BUILDPLATFROM (did you mean BUILDPLATFORM?)",
      1,
    ],
  ])("%s is refused", (_, source, message, line) => {
    const target = message.startsWith("target") ? "biuld" : "";
    expect(() => planOf(source, { target })).toThrow(message);
    try {
      planOf(source, { target });
    } catch (error) {
      expect((error as DockerfileError).range?.start.line).toBe(line);
    }
  });

  it("asks for the images that it needs, and for no others", () => {
    const source =
      "FROM a AS x\nFROM b AS no\nFROM --platform=linux/arm64 c\nCOPY --from=d f /\nCOPY --from=x f /\nRUN --mount=from=e,target=/e f";
    const planned = planBuild(source, new Map([["a", { config: {} }]]), optionsOf({}));
    expect(
      "wanted" in planned &&
        planned.wanted.map(({ reference, platform, range }) => [reference, platform, range.start.line]),
    ).toEqual([
      ["c", "linux/arm64", 3],
      ["d", null, 4],
      ["e", null, 6],
    ]);
  });
});

describe("triggers of a base", () => {
  const over = (OnBuild: string[], source: string) => planOf(source, { images: { base: { OnBuild } } });

  it("come before the stage's own instructions, once", () => {
    const { stages } = over(["ENV A=1", "RUN x"], "FROM base AS one\nENV B=$A\nFROM one");
    expect(stages[0]!.history.map(({ created_by }) => created_by)).toEqual([
      "ENV A=1",
      "RUN /bin/sh -c x # buildkit",
      "ENV B=1",
    ]);
    expect(stages[0]!.config.OnBuild).toBeUndefined();
    expect(stages[1]!.history).toEqual([]);
  });

  it("of a stage of the same file are for the next one alone", () => {
    const { stages } = planOf("FROM a AS x\nONBUILD RUN t\nFROM x AS y\nFROM y");
    expect(stages.map(({ steps }) => steps.map(({ title }) => title))).toEqual([[], ["[y 1/1] ONBUILD RUN t"], []]);
    expect(stages.map(({ config }) => config.OnBuild)).toEqual([["RUN t"], undefined, undefined]);
  });

  it("may need a stage", () => {
    const { stages } = over(["COPY --from=need f /"], "FROM a AS need\nFROM base");
    expect(stages.map(({ name }) => name)).toEqual(["need", "stage-1"]);
  });

  it("may have heredocs", () => {
    expect(over(["RUN <<EOF\na\nEOF"], "FROM base").stages[0]!.steps[0]).toMatchObject({
      args: ["/bin/sh", "-c", "a\n"],
      on_build: true,
    });
  });

  it.each([
    [["FOO x"], "unknown instruction: FOO"],
    [["FROM x"], "FROM isn't allowed as an ONBUILD trigger"],
    [["RUN a\nRUN b"], "onbuild trigger should be a single expression"],
  ])("%j are refused where the FROM is", (triggers, message) => {
    const source = "FROM x AS a\n\nFROM base";
    expect(() => over(triggers, source)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(message),
        range: expect.objectContaining({ start: { line: 3, column: 1 } }),
      }),
    );
  });
});

describe("titles of steps", () => {
  const titles = (source: string) => planOf(source).stages.flatMap(({ steps }) => steps.map(({ title }) => title));

  it.each([
    ["the image is counted", "FROM a\nRUN b\nENV c=d\ncopy e /f", ["[2/3] RUN b", "[3/3] COPY e /f"]],
    ["nothing is not counted", "FROM scratch\nCOPY e /f", ["[1/1] COPY e /f"]],
    ["stages are named", "FROM a AS x\nRUN b\nFROM x\nRUN c", ["[x 2/2] RUN b", "[stage-1 1/1] RUN c"]],
    [
      "variables are filled in",
      "FROM a\nARG V=1\nRUN echo $V '$V' $N\nCOPY $V /x\nWORKDIR /$V",
      ["[2/4] RUN echo 1 '$V' $N", "[3/4] COPY 1 /x", "[4/4] WORKDIR /1"],
    ],
    ["a heredoc shows its first line", "FROM a\nRUN <<E\nx\ny\nE", ["[2/2] RUN <<E (x...)"]],
    [
      "numbers are in line",
      `FROM scratch\n${"COPY a /b\n".repeat(10)}`,
      [...Array(9).keys()].map((n) => `[ ${n + 1}/10] COPY a /b`).concat("[10/10] COPY a /b"),
    ],
  ])("%s", (_, source, expected) => expect(titles(source)).toEqual(expected));
});
