import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BASE_CMD, BASE_ENV, type Base } from "./bases.ts";
import { type Builder, type Built, type BuiltImage, type Order, optionsOf } from "./builder.ts";
import { must, ran } from "./program.ts";

/** Debian's docker.io. Another client may come first on PATH, and without BuildKit of its own. */
const CLIENT = "/usr/bin/docker";
const DAEMON = "/usr/sbin/dockerd";
/** Of all hierarchies. */
const CGROUP = `/mayfly/docker-${process.pid}`;
const STARTS_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 15_000;

/** dockerd with everything it has in a folder of its own, without a network, for as long as it is wanted. */
export class Docker {
  readonly #dir: string;
  readonly #daemon: ChildProcess;

  private constructor(dir: string, daemon: ChildProcess) {
    this.#dir = dir;
    this.#daemon = daemon;
  }

  /** `dir`: short, as its sockets lie there. @throws Error with the end of its log */
  static async start(dir: string, bases: readonly Base[]): Promise<Docker> {
    mkdirSync(dir, { recursive: true });
    const log = join(dir, "log");
    const at = (name: string) => join(dir, name);
    const own = ["--data-root", at("data"), "--exec-root", at("exec"), "-p", at("pid"), "-H", `unix://${at("sock")}`];
    const network = ["--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"];
    const config = at("daemon.json");
    writeFileSync(config, "{}");
    const out = openSync(log, "w");
    const args = [
      ...own,
      ...network,
      "--storage-driver=overlay2",
      "--config-file",
      config,
      `--cgroup-parent=${CGROUP}`,
    ];
    // A run that is killed takes its daemon along.
    const docker = new Docker(
      dir,
      spawn("setpriv", ["--pdeathsig=TERM", DAEMON, ...args], { stdio: ["ignore", out, out] }),
    );
    const began = performance.now();
    while ((await docker.#client("version")).code !== 0) {
      if (docker.#daemon.exitCode === null && performance.now() - began < STARTS_WITHIN_MS) await sleep(100);
      else throw new Error(`dockerd did not start:\n${readFileSync(log, "utf8").slice(-2000)}`);
    }
    for (const { name, tar, tags = [] } of bases) {
      const changes = ["-c", `ENV ${BASE_ENV}`, "-c", `CMD ${JSON.stringify(BASE_CMD)}`];
      await docker.#must("import", ...changes, tar, name);
      for (const tag of tags) await docker.#must("tag", name, tag);
    }
    return docker;
  }

  /** Its BuildKit, or the builder of before. */
  builder(name: "docker" | "classic"): Builder {
    return { name, build: (order) => this.#build(order, name === "docker"), image: (image) => this.image(image) };
  }

  async #build(order: Order, isBuildKit: boolean): Promise<Built> {
    const options = ["--network=none", "-q", ...optionsOf(order)];
    const { code, stdout, said } = await ran(CLIENT, [...this.#host, "build", ...options, order.dir], {
      DOCKER_BUILDKIT: isBuildKit ? "1" : "0",
      BUILDKIT_PROGRESS: "plain",
    });
    if (code !== 0) return { refused: said.trim().slice(-500) };
    return { image: stdout.trim().split("\n").at(-1)! };
  }

  /** What an image is, by name or id. */
  async image(name: string): Promise<BuiltImage> {
    const [image] = JSON.parse(await this.#must("image", "inspect", name));
    const { LowerDir, UpperDir } = image.GraphDriver.Data ?? {};
    const file = join(this.#dir, "data/image/overlay2/imagedb/content/sha256", image.Id.slice(7));
    return {
      // An image of no layers has no folders.
      lower: UpperDir === undefined ? [] : [UpperDir, ...(LowerDir?.split(":") ?? [])],
      document: JSON.parse(readFileSync(file, "utf8")),
    };
  }

  /** Whose CPU counts: the daemon's and containerd's. */
  get pids(): number[] {
    return [this.#daemon.pid!, Number(readFileSync(join(this.#dir, "exec/containerd/containerd.pid"), "utf8"))];
  }

  async stop(): Promise<void> {
    if (this.#daemon.exitCode !== null) return;
    const ended = once(this.#daemon, "exit");
    this.#daemon.kill("SIGTERM");
    const stuck = setTimeout(() => this.#daemon.kill("SIGKILL"), STOPS_WITHIN_MS);
    await ended;
    clearTimeout(stuck);
    removeGroups(CGROUP);
  }

  get #host(): string[] {
    return ["-H", `unix://${join(this.#dir, "sock")}`];
  }

  #client(...args: string[]) {
    return ran(CLIENT, [...this.#host, ...args]);
  }

  #must(...args: string[]): Promise<string> {
    return must(CLIENT, [...this.#host, ...args]);
  }
}

/** Folders of a cgroup in every hierarchy, the innermost first; what a daemon leaves has no process in it any more. */
function removeGroups(name: string): void {
  for (const hierarchy of readdirSync("/sys/fs/cgroup")) {
    const root = join("/sys/fs/cgroup", hierarchy, name);
    if (!existsSync(root)) continue;
    const inner = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
    const folders = [root, ...inner.map((entry) => join(entry.parentPath, entry.name))];
    for (const folder of folders.sort().reverse()) rmdirSync(folder);
  }
}
