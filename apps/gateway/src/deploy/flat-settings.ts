import { BadSetting } from "@mayfly/contract";

type Pair = [string, string | null];

/** `{"memory":"128MiB","env":{"A":"1"}}` as pairs like those of a query: `memory=128MiB`, `env.A=1`. @throws BadSetting */
export function flatSettings(config: Record<string, unknown>): Pair[] {
  return Object.entries(config).flatMap(([name, value]): Pair[] =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.entries(value).map(([key, inner]) => pair(`${name}.${key}`, inner))
      : [pair(name, value)],
  );
}

function pair(name: string, value: unknown): Pair {
  if (value !== null && typeof value === "object")
    throw new BadSetting(name, "it is a list or an object; send text, a number, true, false or null");
  return [name, value === null ? null : String(value)];
}
