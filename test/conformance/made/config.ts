/** What of an image's config an engine decides by the Dockerfile; all else is of the machine or the hour. */
const MEMBERS = [
  "User",
  "ExposedPorts",
  "Env",
  "Entrypoint",
  "Cmd",
  "Volumes",
  "WorkingDir",
  "Labels",
  "StopSignal",
  "Healthcheck",
  "OnBuild",
  "Shell",
  "ArgsEscaped",
] as const;

/** The config document of an image, OCI's or Docker's, as far as it matters here. */
export interface ConfigDocument {
  readonly author?: string | undefined;
  readonly config?: Readonly<Record<string, unknown>> | null | undefined;
  readonly history?:
    | readonly { readonly created_by?: string | undefined; readonly empty_layer?: boolean | undefined }[]
    | undefined;
}

/** What is empty is as good as not there. `history`: the steps above those of the base. */
export function configOf(document: ConfigDocument, baseHistory: number): Record<string, unknown> {
  const config = document.config ?? {};
  const known = MEMBERS.map(
    (name) => [name, inOrder(name === "Labels" ? labelsOf(config[name]) : config[name])] as const,
  );
  const history = (document.history ?? [])
    .slice(baseHistory)
    .map(({ created_by = "", empty_layer = false }) => `${created_by}${empty_layer ? " (empty)" : ""}`);
  const all = [...known, ["Author", document.author] as const, ["History", history] as const];
  return Object.fromEntries(all.filter(([, value]) => !isEmpty(value)));
}

/** buildah says which it is. */
const labelsOf = (labels: unknown): unknown =>
  labels && Object.fromEntries(Object.entries(labels).filter(([name]) => name !== "io.buildah.version"));

/** Members of objects stand in no order. */
function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === false ||
  (typeof value === "object" && Object.keys(value).length === 0);
