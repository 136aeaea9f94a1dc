/** `{"memory":"128MiB","env":{"A":"1"}}` as pairs like those of a query: `memory=128MiB`, `env.A=1`. */
export function flatSettings(config: Record<string, unknown>): [string, string][] {
  return Object.entries(config).flatMap(([name, value]): [string, string][] =>
    value !== null && typeof value === "object"
      ? Object.entries(value).map(([key, inner]) => [`${name}.${key}`, String(inner)])
      : [[name, String(value)]],
  );
}
