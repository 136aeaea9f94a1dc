import { closeSync, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { type Server, Socket } from "node:net";
import type { Readable } from "node:stream";
import type { CgroupUsage, Ending, NetworkUsage } from "@mayfly/contract";
import type { Cgroup } from "./cgroup/index.ts";
import { waitUntil } from "./cgroup/wait.ts";
import type { LauncherEvent } from "./launcher.ts";
import type { Lease } from "./network/namespaces.ts";
import { refusal } from "./refusal.ts";
import type { Terminal } from "./terminal.ts";

export type KillReason = { readonly kind: "timeout" } | { readonly kind: "killed"; readonly reason: string };

/** What a box has used, by the kernel's counters: its cgroup's, and its network's. */
export type BoxUsage = CgroupUsage & NetworkUsage;

/** A running box. Whatever happens to it, `ended` resolves once, and then no process of it lives. */
export interface Box {
  readonly id: string;
  /** Host pid of the box's main process; 0 when the box was refused. */
  readonly pid: number;
  /** Whether its layers are mounted with its own ids. */
  readonly idmap: boolean;
  /** Whether its main process is a nursery's fork. */
  readonly forked: boolean;
  /** Its id 0 as the host numbers it; ids follow one another. */
  readonly idBase: number;
  readonly channel: Socket | null;
  readonly stdin: Socket | null;
  readonly terminal: Terminal | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Connects to a port of 127.0.0.1 in the box. @throws code ECONNREFUSED when nobody listens there (yet), or the box is over */
  connect(port: number): Socket;
  /**
   * Takes the connections to the port that the spec has us serve; what came before has waited. The server is closed with the box.
   * @throws Error when the spec names no port, or somebody serves it already
   */
  serve(server: Server): void;
  /** Moves the box's processes from the boot group into its own cgroup: limited and metered from here. A fork was born there. */
  handover(): Promise<void>;
  /** What the cgroup has counted so far. */
  sample(): CgroupUsage;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Sends the main process a signal, by name. One that has ended gets none. */
  signal(name: NodeJS.Signals): void;
  /** Kills the whole box. The first reason is the one that counts. */
  kill(why: KillReason): void;
  /** Never rejects. */
  readonly ended: Promise<Ending>;
  /** Final usage; afterwards the cgroup is gone. Idempotent. Call it after `ended`. */
  remove(): Promise<BoxUsage>;
}

export interface BoxParts {
  readonly id: string;
  readonly cgroup: Cgroup;
  /** Its way to the outside; null: it has none. */
  readonly lease: Lease | null;
  readonly forked: boolean;
  readonly idBase: number;
  readonly channel: Socket | null;
  readonly stdin: Socket | null;
  readonly terminal: Terminal | null;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** A listening socket in the box; null: none. */
  readonly listener: number | null;
  readonly connectIn: (netns: number, port: number) => number;
  /** Asks the launcher to kill PID 1 of the box. */
  readonly kill: () => void;
  /** Called once, when no process of the box lives. */
  readonly onGone: () => void;
  /** Called once, when its cgroup is gone as well. */
  readonly onRemoved: () => void;
}

/** How long the kernel may take to end a killed box before we ask again, and kill its cgroup as well. */
const BACKSTOP_MS = 2_000;

/** Turns the launcher's events into a box: the one place where all endings race. */
export class RunningBox implements Box {
  readonly id: string;
  readonly forked: boolean;
  readonly idBase: number;
  readonly channel: Socket | null;
  readonly stdin: Socket | null;
  readonly terminal: Terminal | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<Ending>;
  readonly entered: Promise<void>;
  pid = 0;
  idmap = false;
  #init = 0;
  #frozen = false;
  #over = false;
  #killed: KillReason | null = null;
  #refused: Ending | null = null;
  #removed: Promise<BoxUsage> | null = null;
  #backstop: NodeJS.Timeout | undefined;
  #listener: number | null;
  #server: Server | null = null;
  readonly #parts: BoxParts;
  #resolveEnded!: (ending: Ending) => void;
  #resolveEntered!: () => void;

  constructor(parts: BoxParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.forked = parts.forked;
    this.idBase = parts.idBase;
    this.channel = parts.channel;
    this.stdin = parts.stdin;
    this.terminal = parts.terminal;
    this.stdout = parts.stdout;
    this.stderr = parts.stderr;
    this.#listener = parts.listener;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.entered = new Promise((resolve) => {
      this.#resolveEntered = resolve;
    });
  }

  /** For the host: an event of the launcher about this box. */
  take(event: LauncherEvent): void {
    if (event.event === "entered") {
      this.pid = event.main;
      this.#init = event.init;
      this.idmap = event.idmap;
      this.#resolveEntered();
    } else if (event.event === "refused") {
      this.#refused = refusal(event.step, event.errno, event.message);
    } else if (event.event === "gone") {
      this.#end(this.#refused!);
    } else if (event.event === "lost") {
      void this.#lost();
    } else {
      this.#end(this.#refused ?? this.#judge(event));
    }
  }

  connect(port: number): Socket {
    if (this.#over || this.#init === 0) throw refusedConnection("the box is over");
    const netns = openIfThere(`/proc/${this.#init}/ns/net`);
    if (netns === null) throw refusedConnection("the box is over");
    try {
      // PID 1 may have been reaped meanwhile, and its number be that of a process of the host.
      if (fstatSync(netns).ino === statSync("/proc/self/ns/net").ino) throw refusedConnection("the box is over");
      return new Socket({ fd: this.#parts.connectIn(netns, port), readable: true, writable: true });
    } finally {
      closeSync(netns);
    }
  }

  serve(server: Server): void {
    if (this.#over) return; // nobody will come
    if (this.#listener === null)
      throw new Error(`the box ${this.id} has no port that is served, or it is served already`);
    this.#server = server.listen({ fd: this.#listener });
    this.#listener = null;
  }

  async handover(): Promise<void> {
    if (this.forked) return;
    for (const pid of [this.#init, this.pid]) {
      if (this.#over || pid === 0) return; // nobody is there; the number may be somebody else's by now
      try {
        await this.#parts.cgroup.add(pid);
      } catch (error) {
        // It ended meanwhile: `ended` tells how. Anything else is ours.
        if (!/ESRCH/.test(String(error))) throw error;
      }
    }
  }

  sample(): CgroupUsage {
    return this.#parts.cgroup.usage();
  }

  async freeze(): Promise<void> {
    this.#frozen = true;
    await this.#parts.cgroup.freeze();
  }

  async thaw(): Promise<void> {
    this.#frozen = false;
    await this.#parts.cgroup.thaw();
  }

  signal(name: NodeJS.Signals): void {
    // Its number may be another process's once PID 1 of the box has reaped it.
    if (this.#over || this.pid === 0 || parentOf(this.pid) !== this.#init) return;
    try {
      process.kill(this.pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  kill(why: KillReason): void {
    if (this.#killed || this.#over) return;
    this.#killed = why;
    this.#parts.kill();
    // A frozen process does not act on SIGKILL before it runs again (cgroup v1).
    if (this.#frozen) void this.thaw().catch(() => {});
    this.#backstop = setTimeout(() => {
      this.#parts.kill();
      void this.#parts.cgroup.kill().catch(() => {});
    }, BACKSTOP_MS);
  }

  remove(): Promise<BoxUsage> {
    this.#removed ??= (async () => {
      await this.ended;
      // Loopback alone moves no bytes: a measured zero, no missing counter.
      const network = (await this.#parts.lease?.release()) ?? { net_rx_bytes: 0, net_tx_bytes: 0 };
      const usage = { ...this.#parts.cgroup.usage(), ...network };
      await this.#parts.cgroup.remove();
      this.#parts.onRemoved();
      return usage;
    })();
    return this.#removed;
  }

  /** A kill of ours comes before what the kernel says it did to the process; running out of memory before a plain SIGKILL. */
  #judge(event: { readonly code?: number; readonly signal?: number }): Ending {
    if (this.#killed && event.signal === 9) return this.#killed;
    if (event.signal === 9 && this.#parts.cgroup.oomKilled()) return { kind: "out_of_memory" };
    if (event.signal !== undefined) return { kind: "signal", signal: event.signal };
    return { kind: "exit", code: event.code ?? 0 };
  }

  /** The daemon has died. The kernel kills its children's trees; the promise of `ended` is that this is over. */
  async #lost(): Promise<void> {
    await this.#parts.cgroup.kill().catch(() => {});
    await waitUntil(() => !isAlive(this.#init), BACKSTOP_MS);
    this.#end(this.#refused ?? this.#killed ?? { kind: "killed", reason: "the launcher was lost" });
  }

  #end(ending: Ending): void {
    this.#over = true;
    clearTimeout(this.#backstop);
    if (this.#listener !== null) closeSync(this.#listener);
    this.#listener = null;
    this.#server?.close();
    this.#parts.onGone();
    this.#resolveEntered();
    this.#resolveEnded(ending);
  }
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch {
    return null;
  }
}

function refusedConnection(message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code: "ECONNREFUSED" });
}

function parentOf(pid: number): number | null {
  try {
    return Number(/\) . (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1]);
  } catch {
    return null;
  }
}

/** A PID 1 that is a zombie has ended with all its namespace; who reaps it, without the launcher, is the host's init and may take its time. */
function isAlive(pid: number): boolean {
  if (pid === 0) return false; // it had not been entered
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
