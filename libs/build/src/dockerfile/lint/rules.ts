import { quote } from "../source/go-text.ts";

export interface Rule {
  readonly description: string;
  /** Says what was found; the texts come from the Dockerfile. */
  readonly say: (...found: readonly string[]) => string;
  /** Checked only when the Dockerfile asks for it. */
  readonly experimental?: boolean;
}

const suggested = (mark: string, match: string): string => (match === "" ? "" : ` (did you mean ${mark}${match}?)`);

/** BuildKit's rules, by its names and in its words (linter/ruleset.go). */
export const RULES = {
  StageNameCasing: {
    description: "Stage names should be lowercase",
    say: (stage) => `Stage name '${stage}' should be lowercase`,
  },
  FromAsCasing: {
    description: "The 'as' keyword should match the case of the 'from' keyword",
    say: (from, as) => `'${as}' and '${from}' keywords' casing do not match`,
  },
  NoEmptyContinuation: {
    description: "Empty continuation lines will become errors in a future release",
    say: () => "Empty continuation line",
  },
  ConsistentInstructionCasing: {
    description: "All commands within the Dockerfile should use the same casing (either upper or lower)",
    say: (word, casing) => `Command '${word}' should match the case of the command majority (${casing})`,
  },
  DuplicateStageName: {
    description: "Stage names should be unique",
    say: (stage) => `Duplicate stage name ${quote(stage!)}, stage names should be unique`,
  },
  ReservedStageName: {
    description: "Reserved words should not be used as stage names",
    say: (stage) => `Stage name should not use the same name as reserved stage ${quote(stage!)}`,
  },
  JSONArgsRecommended: {
    description: "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
    say: (word) => `JSON arguments recommended for ${word} to prevent unintended behavior related to OS signals`,
  },
  MaintainerDeprecated: {
    description: "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
    say: () => "Maintainer instruction is deprecated in favor of using label",
  },
  UndefinedArgInFrom: {
    description: "FROM command must use declared ARGs",
    say: (name, match = "") => `FROM argument '${name}' is not declared${suggested("", match)}`,
  },
  WorkdirRelativePath: {
    description:
      "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes",
    say: (path) => `Relative workdir ${quote(path!)} can have unexpected results if the base image changes`,
  },
  UndefinedVar: {
    description: "Variables should be defined before their use",
    say: (name, match = "") => `Usage of undefined variable '$${name}'${suggested("$", match)}`,
  },
  MultipleInstructionsDisallowed: {
    description: "Multiple instructions of the same type should not be used in the same stage",
    say: (word) =>
      `Multiple ${word} instructions should not be used in the same stage because only the last one will be used`,
  },
  LegacyKeyValueFormat: {
    description: "Legacy key/value format with whitespace separator should not be used",
    say: (word) => `"${word} key=value" should be used instead of legacy "${word} key value" format`,
  },
  RedundantTargetPlatform: {
    description: "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    say: (platform) =>
      `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`,
  },
  SecretsUsedInArgOrEnv: {
    description: "Sensitive data should not be used in the ARG or ENV commands",
    say: (word, name) => `Do not use ARG or ENV instructions for sensitive data (${word} ${quote(name!)})`,
  },
  InvalidDefaultArgInFrom: {
    description: "Default value for global ARG results in an empty or invalid base image name",
    say: (base) => `Default value for ARG ${base} results in empty or invalid base image name`,
  },
  FromPlatformFlagConstDisallowed: {
    description: "FROM --platform flag should not use a constant value",
    say: (platform) => `FROM --platform flag should not use constant value ${quote(platform!)}`,
  },
  CopyIgnoredFile: {
    description: "Attempting to Copy file that is excluded by .dockerignore",
    say: (word, file) => `Attempting to ${word} file ${quote(file!)} that is excluded by .dockerignore`,
    experimental: true,
  },
  InvalidDefinitionDescription: {
    description:
      "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.",
    say: (word, name) => `Comment for ${word} should follow the format: \`# ${name} <description>\``,
    experimental: true,
  },
  ExposeProtoCasing: {
    description: "Protocol in EXPOSE instruction should be lowercase",
    say: (port) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
  },
  ExposeInvalidFormat: {
    description:
      "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release",
    say: (port) => `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
  },
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleName = keyof typeof RULES;
