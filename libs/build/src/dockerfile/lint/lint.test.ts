import { describe, expect, it } from "vitest";
import { type Given, planOf } from "../../testing/plans.ts";

const warnings = (source: string, given?: Given) =>
  planOf(source, given).warnings.map(({ rule, message, range }) => `${range.start.line} ${rule}: ${message}`);

/** [Dockerfile, its warnings: line, rule, what is said] */
const FOUND: readonly (readonly [string, readonly string[]])[] = [
  ["FROM scratch AS BadName", ["1 StageNameCasing: Stage name 'BadName' should be lowercase"]],
  ["FROM scratch as a", ["1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"]],
  ["from scratch AS a", ["1 FromAsCasing: 'AS' and 'from' keywords' casing do not match"]],
  ["FROM scratch AS a", []],
  ["from scratch as a", []],
  ["FROM a\nCOPY x \\\n\n.\nCOPY y \\\n.", ["4 NoEmptyContinuation: Empty continuation line"]],
  [
    "From scratch\nCOPY a /\nCOPY b /",
    ["1 ConsistentInstructionCasing: Command 'From' should match the case of the command majority (uppercase)"],
  ],
  [
    "FROM scratch\ncopy a /\nCOPY b /",
    ["2 ConsistentInstructionCasing: Command 'copy' should match the case of the command majority (uppercase)"],
  ],
  [
    "from scratch\nCOPY a /\ncopy b /",
    ["2 ConsistentInstructionCasing: Command 'COPY' should match the case of the command majority (lowercase)"],
  ],
  [
    "FROM scratch AS b\nFROM scratch AS b",
    ['2 DuplicateStageName: Duplicate stage name "b", stage names should be unique'],
  ],
  [
    "FROM scratch AS context",
    ['1 ReservedStageName: Stage name should not use the same name as reserved stage "context"'],
  ],
  [
    "FROM a\nCMD x",
    ["2 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals"],
  ],
  [
    "FROM a\nENTRYPOINT x",
    [
      "2 JSONArgsRecommended: JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals",
    ],
  ],
  ['FROM a\nSHELL ["x"]\nCMD y', []],
  ['FROM a AS b\nSHELL ["x"]\nFROM b\nCMD y', []],
  [
    "FROM a\nCMD ['x']",
    ["2 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals"],
  ],
  ["FROM a\nMAINTAINER x", ["2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label"]],
  ["FROM a:latest$version", ["1 UndefinedArgInFrom: FROM argument 'version' is not declared"]],
  [
    "ARG version=1\nFROM a:${verison:-1}",
    ["2 UndefinedArgInFrom: FROM argument 'verison' is not declared (did you mean version?)"],
  ],
  ["ARG debug\nFROM a${debug}", []],
  [
    "FROM a\nWORKDIR app/",
    ['2 WorkdirRelativePath: Relative workdir "app/" can have unexpected results if the base image changes'],
  ],
  ["FROM a AS b\nWORKDIR /app\nFROM b\nWORKDIR sub", []],
  ["FROM a\nARG foo\nCOPY x$foo .", []],
  ["FROM a\nCOPY $foo .", ["2 UndefinedVar: Usage of undefined variable '$foo'"]],
  ["FROM a\nENV PATH=$PAHT:/x", ["2 UndefinedVar: Usage of undefined variable '$PAHT' (did you mean $PATH?)"]],
  ["FROM a\nRUN echo $foo", []],
  [
    'FROM a\nCMD ["a"]\nCMD ["b"]',
    [
      "2 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because only the last one will be used",
    ],
  ],
  [
    'FROM a\nENTRYPOINT ["a"]\nENTRYPOINT ["b"]',
    [
      "2 MultipleInstructionsDisallowed: Multiple ENTRYPOINT instructions should not be used in the same stage because only the last one will be used",
    ],
  ],
  [
    "FROM a\nHEALTHCHECK CMD a\nHEALTHCHECK NONE",
    [
      "2 MultipleInstructionsDisallowed: Multiple HEALTHCHECK instructions should not be used in the same stage because only the last one will be used",
    ],
  ],
  ['FROM a AS b\nCMD ["a"]\nFROM b\nCMD ["b"]', []],
  [
    "FROM a\nENV x y",
    ['2 LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format'],
  ],
  [
    "FROM a\nLABEL x y",
    ['2 LegacyKeyValueFormat: "LABEL key=value" should be used instead of legacy "LABEL key value" format'],
  ],
  [
    "FROM --platform=$TARGETPLATFORM a",
    [
      "1 RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    ],
  ],
  ["FROM --platform=$BUILDPLATFORM a", []],
  [
    "FROM --platform=linux/amd64 a",
    ['1 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "linux/amd64"'],
  ],
  ["FROM --platform=linux/amd64 a AS a-amd64", []],
  [
    "FROM a\nENV SUPER_Secret=x apikey=y sunflower=z",
    [
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "SUPER_Secret")',
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "apikey")',
    ],
  ],
  [
    "FROM a\nARG auth git_key",
    [
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "auth")',
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "git_key")',
    ],
  ],
  ["FROM a\nENV PUBLIC_KEY= KEY_FILE=x TOKEN_VERSION=1 monkey=1", []],
  [
    "FROM a\nEXPOSE 80/TCP",
    ["2 ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase"],
  ],
  [
    "FROM a\nEXPOSE 8080:80",
    ["2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '8080:80'"],
  ],
];

describe("warnings", () => {
  it.each(FOUND)("%j", (source, expected) => {
    expect(warnings(source)).toEqual(expected);
  });

  it("of a base that only build arguments make right", () => {
    expect(warnings("ARG v\nFROM a:$v", { args: { v: "1" } })).toEqual([
      "2 InvalidDefaultArgInFrom: Default value for ARG a:$v results in empty or invalid base image name",
    ]);
  });

  it("of stages that are not built only what needs no plan", () => {
    expect(warnings("FROM a AS Xy\nCMD x\nFROM b")).toEqual(["1 StageNameCasing: Stage name 'Xy' should be lowercase"]);
  });

  it("of files that .dockerignore leaves out, when it is asked for", () => {
    const source = "FROM a\nCOPY b c /d/\nADD b /d/\nCOPY --from=x b /d/";
    expect(warnings(source, { ignore: "b" })).toEqual([]);
    expect(warnings(`# check=experimental=CopyIgnoredFile\n${source}`, { ignore: "b" })).toEqual([
      '3 CopyIgnoredFile: Attempting to Copy file "b" that is excluded by .dockerignore',
      '4 CopyIgnoredFile: Attempting to Add file "b" that is excluded by .dockerignore',
    ]);
    expect(warnings(`# check=experimental=all\n${source}`, { ignore: "b\n!c" })).toEqual([]);
  });

  it("of comments that describe something else, when it is asked for", () => {
    const check = "# check=experimental=InvalidDefinitionDescription\n";
    expect(
      warnings(`${check}# bar is\nARG foo=bar\n# base is\nFROM a AS base\n# bad\nARG x y\n# away\n\nARG z`),
    ).toEqual(
      [
        "7 InvalidDefinitionDescription: Comment for ARG should follow the format: `# <arg_key> <description>`",
        "3 InvalidDefinitionDescription: Comment for ARG should follow the format: `# foo <description>`",
      ].reverse(),
    );
  });

  it.each([
    ["skip=all", []],
    ["skip=FromAsCasing", ["ConsistentInstructionCasing"]],
    ["skip=FromAsCasing,ConsistentInstructionCasing", []],
    ["skip= FromAsCasing , Other ;error=false", ["ConsistentInstructionCasing"]],
    ["skip=all;error=true", []],
  ])("the directive check=%s leaves %j", (check, rules) => {
    const { warnings: left } = planOf(`# check=${check}\nFROM scratch as b\ncopy a /\nCOPY a /`);
    expect(left.map(({ rule }) => rule)).toEqual(rules);
  });

  it("the directive check=error=true makes failures of them", () => {
    expect(() => planOf("# check=error=true\nFROM scratch as b")).toThrow(
      "lint violation found for rules: FromAsCasing",
    );
  });
  it.each(["x=y", "error=maybe"])("the directive check=%s is refused", (check) => {
    expect(() => planOf(`# check=${check}\nFROM scratch`)).toThrow("invalid check option");
  });
});
