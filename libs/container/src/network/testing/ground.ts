import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { promisify } from "node:util";
import type { Native } from "../../testing/native.ts";
import type { RulesetOptions } from "../ruleset.ts";
import type { Inside } from "./driver.ts";

const program = (name: string): string[] => [process.execPath, join(import.meta.dirname, name)];

/** In a network namespace of its own, and not longer than the test. */
const ALONE = ["--pdeathsig=KILL", "unshare", "--net"];

export interface DriverOptions {
  readonly native: Native;
  /** Folder for all that the driver makes: it may be killed before it has tidied up. */
  readonly scratch: string;
  readonly instance?: string;
  /** A folder of the machine's that is empty for the driver. */
  readonly hidden?: string;
  /** Besides the test's own. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly network?: { readonly resolvConf?: string } & Pick<RulesetOptions, "allowed" | "off">;
}

/**
 * Two network namespaces of the test's own, so that the machine's network is not touched: a host on which boxes are made, and the world
 * behind its only interface, `up0`.
 */
export class Ground {
  readonly #host: ChildProcess;
  readonly #world: ChildProcess;

  static async open(addresses: readonly string[]): Promise<Ground> {
    const host = spawn("setpriv", [...ALONE, "sleep", "infinity"], { stdio: "ignore" });
    const world = spawn("setpriv", [...ALONE, ...program("world.ts")], { stdio: ["pipe", "pipe", "inherit"] });
    const ground = new Ground(host, world);
    await ground.#connect();
    world.stdin!.end(JSON.stringify(addresses));
    await Promise.race([
      once(world.stdout!, "data"),
      once(world, "exit").then(() => Promise.reject(new Error("no world"))),
    ]);
    return ground;
  }

  private constructor(host: ChildProcess, world: ChildProcess) {
    this.#host = host;
    this.#world = world;
  }

  /** The beginning of a command that runs the rest in the host's network namespace. */
  get enter(): string[] {
    return ["nsenter", "--net", `--target=${this.#host.pid}`];
  }

  /** The same, for the world's. */
  get enterWorld(): string[] {
    return ["nsenter", "--net", `--target=${this.#world.pid}`];
  }

  /** Runs a shell command in the host's network namespace. */
  sh(command: string): Promise<string> {
    return inNetworkOf(this.#host, command);
  }

  /** The same, in the world's. */
  world(command: string): Promise<string> {
    return inNetworkOf(this.#world, command);
  }

  async driver({ hidden, scratch, variables, ...options }: DriverOptions): Promise<Driver> {
    const hide = hidden ? ["unshare", "--mount", "sh", "-ec", `mount -t tmpfs none ${hidden}; exec "$@"`, "sh"] : [];
    const [enter, ...args] = [...this.enter, ...hide, ...program("driver.ts"), JSON.stringify(options)];
    const env = { ...process.env, ...variables, TMPDIR: scratch };
    const child = spawn(enter!, args, { stdio: ["pipe", "pipe", "inherit"], env });
    const driver = new Driver(child);
    await driver.answer();
    return driver;
  }

  async close(): Promise<void> {
    for (const child of [this.#host, this.#world]) {
      if (child.exitCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }

  async #connect(): Promise<void> {
    await Promise.all([this.#host, this.#world].map(hasOwnNetwork));
    // A namespace may begin with what the machine forwards.
    await this.sh(`echo 0 > /proc/sys/net/ipv4/ip_forward; ip link set lo up
      ip link add up0 type veth peer name up0 netns ${this.#world.pid}
      ip addr add 192.0.2.2/24 dev up0; ip addr add 2001:db8:1::2/64 dev up0 nodad; ip link set up0 up`);
    await inNetworkOf(
      this.#world,
      `ip link set lo up; ip link set up0 up
      ip addr add 192.0.2.1/24 dev up0; ip addr add 2001:db8:1::1/64 dev up0 nodad`,
    );
    await this.sh("ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8:1::1");
  }
}

/** A host of boxes on the ground. */
export class Driver {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    this.#child = child;
    const lines: Interface = createInterface({ input: child.stdout! });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** Runs a function over there: it sees nothing of here but its argument. */
  async run<A, R>(task: (inside: Inside, argument: A) => Promise<R>, argument: A): Promise<R> {
    this.#child.stdin!.write(`${JSON.stringify({ source: task.toString(), argument })}\n`);
    const { result, error } = await this.answer();
    if (error !== undefined) throw new Error(error);
    return result as R;
  }

  async answer(): Promise<{ result?: unknown; error?: string }> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the driver has ended");
    return JSON.parse(value);
  }

  async crash(): Promise<void> {
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.stdin!.end();
    await once(this.#child, "exit");
  }
}

const run = promisify(execFile);
const inNetworkOf = async (process: ChildProcess, command: string): Promise<string> =>
  (await run("nsenter", ["--net", `--target=${process.pid}`, "sh", "-ec", command])).stdout;

/** The programs before it need a moment until it has. */
async function hasOwnNetwork(child: ChildProcess): Promise<void> {
  const link = async (pid: string | number) => (await run("readlink", [`/proc/${pid}/ns/net`])).stdout;
  const ours = await link("self");
  while ((await link(child.pid!)) === ours) await new Promise((resolve) => setTimeout(resolve, 2));
}
