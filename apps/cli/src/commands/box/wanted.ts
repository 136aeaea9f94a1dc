import { resolve } from "node:path";
import { type BoxVolume, parseBytes, parseCpu } from "@mayfly/contract";
import { CliError, EXIT } from "../../failure.ts";
import { pairOf } from "../../flags/pair.ts";
import { wholeNumber } from "../../flags/whole-number.ts";

export interface RunFlags {
  readonly interactive?: boolean;
  readonly tty?: boolean;
  readonly detach?: boolean;
  readonly rm?: boolean;
  readonly name?: string;
  readonly volume?: readonly string[];
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly hostname?: string;
  readonly entrypoint?: string;
  readonly network?: string;
  readonly memory?: string;
  readonly cpus?: string;
  readonly pidsLimit?: string;
  readonly disk?: string;
  readonly pull?: "missing" | "always" | "never";
}

/** The flags as the API takes them; what was not said is left out. @throws CliError naming the flag */
export function wantedOf(
  image: string,
  command: readonly string[],
  flags: RunFlags,
  cwd: string,
): Record<string, unknown> {
  const { workdir, entrypoint } = flags;
  const given = {
    name: flags.name,
    command: command.length > 0 ? command : undefined,
    entrypoint: entrypoint === undefined ? undefined : [entrypoint],
    env: flags.env && Object.fromEntries(flags.env.map(variable)),
    cwd: workdir,
    user: flags.user,
    hostname: flags.hostname,
    volumes: flags.volume?.map((text) => volumeOf(text, cwd)),
    network: flags.network,
    memory_bytes: quantity("--memory", flags.memory, parseBytes, "512MiB"),
    cpu_millis: quantity("--cpus", flags.cpus, parseCpu, "1.5"),
    pids: flags.pidsLimit === undefined ? undefined : wholeNumber("--pids-limit", flags.pidsLimit),
    disk_bytes: quantity("--disk", flags.disk, parseBytes, "10GiB"),
    stdin: flags.interactive,
    terminal: flags.tty,
    remove: flags.rm,
  };
  return { image, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** `NAME` alone is as it is here. */
function variable(text: string): [string, string] {
  return text.includes("=") ? pairOf("--env", text) : [text, process.env[text] ?? ""];
}

const MODES = ["ro", "rw", "idmap"];

/** `HOST:BOX[:ro|rw][,idmap]`. @throws CliError */
function volumeOf(text: string, cwd: string): BoxVolume {
  const [source = "", target, said = "rw", ...more] = text.split(":");
  const modes = said.split(",");
  if (!target?.startsWith("/") || source === "" || more.length > 0 || !modes.every((mode) => MODES.includes(mode)))
    throw new CliError(`--volume ${text}: write it like /here:/in/the/box, or /here:/in/the/box:ro,idmap`, {
      exit: EXIT.usage,
    });
  const ids = modes.includes("idmap") ? "box" : "host";
  return { source: resolve(cwd, source), target, readonly: modes.includes("ro"), ids };
}

function quantity(
  flag: string,
  text: string | undefined,
  parse: (text: string) => number | null,
  like: string,
): number | undefined {
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value === null) throw new CliError(`${flag} ${text}: write it like ${like}`, { exit: EXIT.usage });
  return value;
}
