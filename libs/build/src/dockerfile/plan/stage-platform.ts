import type { Lexer } from "../expand/lexer.ts";
import type { Stage } from "../instructions/stages.ts";
import type { Warnings } from "../lint/warnings.ts";
import { DockerfileError } from "../source/failure.ts";
import { quote } from "../source/go-text.ts";
import { didYouMean, nearest } from "../source/suggest.ts";
import type { Globals } from "./scope.ts";

/** os/arch/variant */
const MOST_PARTS = 3;
const PART = /^[A-Za-z0-9_.-]+$/;

/** `FROM --platform=…`, expanded; null without. @throws DockerfileError for what is no `os/arch[/variant]` */
export function readStagePlatform(
  { from }: Stage,
  { variables, declared }: Globals,
  lexer: Lexer,
  warnings: Warnings,
): string | null {
  if (from.platform === "") return null;
  const { text, found, missing } = lexer.expand(from.platform, variables);
  const known = [...declared, ...variables.keys()];
  for (const name of missing) {
    if (!declared.has(name)) warnings.add("UndefinedArgInFrom", from.range, name, nearest(name, known) ?? "");
  }
  const hint = [...missing].map((name) => didYouMean(name, known)).find((suggestion) => suggestion !== "") ?? "";
  if (text === "") throw new DockerfileError(`empty platform value from expression ${from.platform}${hint}`);
  const parts = text.split("/");
  if (parts.length > MOST_PARTS) {
    throw new DockerfileError(
      `failed to parse platform ${from.platform}: ${quote(text)}: cannot parse platform specifier: invalid argument${hint}`,
    );
  }
  for (const part of parts) {
    if (PART.test(part)) continue;
    throw new DockerfileError(
      `failed to parse platform ${from.platform}: ${quote(part)} is an invalid component of ${quote(text)}: platform specifier component must match ${quote(PART.source)}: invalid argument${hint}`,
    );
  }
  if (
    found.size === 1 &&
    missing.size === 0 &&
    found.has("TARGETPLATFORM") &&
    text === variables.get("TARGETPLATFORM")
  ) {
    warnings.add("RedundantTargetPlatform", from.range, from.platform);
  }
  const [os, architecture = ""] = parts;
  const named = from.stage.includes(os!) || (architecture !== "" && from.stage.includes(architecture));
  if (found.size === 0 && missing.size === 0 && !named) {
    warnings.add("FromPlatformFlagConstDisallowed", from.range, text);
  }
  return text;
}
