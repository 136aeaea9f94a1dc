import { DockerfileError } from "../source/failure.ts";
import { trimStart } from "../source/go-text.ts";

/**
 * `["a", "b"]`; null when it is no JSON list, which makes it the shell form. @throws DockerfileError for a list that has anything but
 * strings in it: that cannot have been meant for a shell.
 */
export function readJsonList(text: string): string[] | null {
  const trimmed = trimStart(text);
  if (!trimmed.startsWith("[")) return null;
  let list: unknown;
  try {
    list = JSON.parse(trimmed);
  } catch {
    return null;
  }
  // It began with a bracket.
  const items = list as unknown[];
  if (!items.every((item) => typeof item === "string")) {
    throw new DockerfileError("when using JSON array syntax, arrays must be comprised of strings only");
  }
  return items as string[];
}
