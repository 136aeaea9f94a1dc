/** How to run an image, as Docker writes it: the OCI image spec's config.md and what Docker adds to it. */
export interface DockerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  /** `NAME=value` */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Healthcheck?: DockerHealthcheck;
  /** Says that a shell's words need no quoting. It means something on Windows alone, yet BuildKit sets it. */
  readonly ArgsEscaped?: boolean;
  readonly Volumes?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly WorkingDir?: string;
  readonly OnBuild?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[];
}

/** Times are in nanoseconds; what is left out has its default. */
export interface DockerHealthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** A step in an image's history, without its time. */
export interface HistoryLine {
  readonly created_by: string;
  readonly comment: "buildkit.dockerfile.v0";
  /** The step makes no layer. */
  readonly empty_layer?: true;
}

/** An image that a stage starts from, or files are copied from. */
export interface BaseImage {
  readonly config: DockerConfig;
  readonly author?: string;
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What `FROM scratch` starts with. */
export const SCRATCH: BaseImage = { config: { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: "/" } };

/** The config with a PATH, whatever the image has. */
export function withPath(config: DockerConfig): DockerConfig {
  const env = config.Env ?? [];
  if (env.some((pair) => nameOf(pair) === "PATH")) return config;
  return { ...config, Env: [...env, `PATH=${DEFAULT_PATH}`] };
}

/** Sets a variable where it stands, or at the end. */
export function withVariable(env: readonly string[], name: string, value: string): string[] {
  const at = env.findIndex((pair) => nameOf(pair) === name);
  return at === -1 ? [...env, `${name}=${value}`] : env.with(at, `${name}=${value}`);
}

/** The variables of an image; of one given twice the last. */
export function variablesOf({ Env = [] }: DockerConfig): Map<string, string> {
  return new Map(Env.map((pair) => [nameOf(pair), pair.slice(nameOf(pair).length + 1)]));
}

const nameOf = (pair: string): string => pair.split("=", 1)[0]!;
