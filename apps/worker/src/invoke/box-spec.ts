import type { BoxSpec } from "@mayfly/container";
import {
  type BoxId,
  contractOf,
  FIXED_LIMITS,
  type InvokeJob,
  isModule,
  type PinnedContract,
  type RootFs,
  type VersionSpec,
} from "@mayfly/contract";
import { FUNCTION_USER, lambdaEnvironment, runnerCommand } from "@mayfly/runtime";
import { metaVariables } from "../program/cgi/meta-variables.ts";
import { HTTP_PORT } from "../program/http.ts";
import type { ImageProgram } from "../program/image-program.ts";
import { RUNTIME_API_PORT } from "../program/lambda/runtime-api.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A box that a code function is to have. One that is made before its request has no call yet. */
export interface Wanted {
  readonly id: BoxId;
  readonly version: VersionSpec;
  /** What the box is furnished for: its version's contract; when it is only tried, all that are tried. */
  readonly contracts: readonly PinnedContract[];
  readonly call: Pick<InvokeJob, "invocation" | "deadline_ms" | "head"> | null;
}

/** As plain data. */
export function functionBox(wanted: Wanted, rootfs: RootFs, image: ImageProgram, nursery: string | null): BoxSpec {
  const { id, version } = wanted;
  const { settings } = version;
  const isCode = isModule(version.contract);
  const user = isCode ? FUNCTION_USER : image.user;
  return {
    id,
    rootfs,
    mounts: [],
    args: isCode ? runnerCommand() : image.args,
    env: environment(wanted, image),
    cwd: isCode ? "/app" : image.cwd,
    user,
    hostname: version.function,
    limits: {
      memory_bytes: settings.memory_bytes,
      cpu_millis: settings.cpu_millis,
      cpu_weight: settings.cpu_weight,
      pids: settings.pids,
      tmp_bytes: settings.tmp_bytes,
      open_files: FIXED_LIMITS.open_files,
    },
    // Root of an image may drop to a user of its own and give files away, as images expect; a user may nothing.
    profile: user.uid === 0 ? "build" : "function",
    nursery,
    meter: isCode ? "from_handover" : "from_exec",
    channel: isCode,
    stdin: version.contract === "cgi",
    terminal: false,
    writable: null,
    serve: wanted.contracts.includes("runtime-api") ? RUNTIME_API_PORT : null,
    idBase: null,
    network: settings.network,
  };
}

function environment({ version, call, contracts }: Wanted, image: ImageProgram): string[] {
  const { settings } = version;
  const isLambda = contracts.some((contract) => contractOf(contract) === "lambda");
  const asks = contracts.includes("runtime-api");
  const platform: Record<string, string> = {
    PATH,
    HOME: isModule(version.contract) ? "/tmp" : image.home,
    LANG: "C.UTF-8",
    // An image may know better.
    ...(isLambda && lambdaEnvironment({ ...version, ...settings })),
    ...(asks && { _HANDLER: image.handler, LAMBDA_TASK_ROOT: image.cwd, LAMBDA_RUNTIME_DIR: "/var/runtime" }),
    ...pairsOf(image.env),
    ...(asks && { AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${RUNTIME_API_PORT}` }),
    ...(version.contract === "cgi" && call && metaVariables(call)),
    ...(contracts.includes("http") && { PORT: String(HTTP_PORT) }),
    MAYFLY_FUNCTION: version.function,
    MAYFLY_VERSION: String(version.version),
    MAYFLY_MEMORY_BYTES: String(settings.memory_bytes),
    ...(call && { MAYFLY_INVOCATION: call.invocation, MAYFLY_DEADLINE_MS: String(call.deadline_ms) }),
  };
  return Object.entries({ ...platform, ...settings.env }).map(([name, value]) => `${name}=${value}`);
}

const pairsOf = (env: readonly string[]): Record<string, string> =>
  Object.fromEntries(env.map((pair) => [pair.split("=", 1)[0]!, pair.slice(pair.indexOf("=") + 1)]));
