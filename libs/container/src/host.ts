import { closeSync } from "node:fs";
import { join } from "node:path";
import type { CgroupCounter, CgroupUsage } from "@mayfly/contract";
import { type Addon, loadAddon } from "./addon.ts";
import { type Box, RunningBox } from "./box.ts";
import { type Cgroup, type CgroupTree, openCgroupTree } from "./cgroup/index.ts";
import { selfJoinFiles } from "./cgroup/self-join.ts";
import { Launcher, type LauncherEvent } from "./launcher.ts";
import { NetworkDoor } from "./network/door.ts";
import { loopbackLease } from "./network/loopback.ts";
import type { Lease } from "./network/namespaces.ts";
import type { NetworkOptions } from "./network/network.ts";
import { type Nursery, type NurserySpec, RunningNursery } from "./nursery.ts";
import { killRequest, nurseryRequest, startRequest } from "./request.ts";
import { Slots } from "./slots.ts";
import { type BoxSpec, checkSpec } from "./spec.ts";
import { openStreams, type Streams } from "./streams.ts";
import { Terminal } from "./terminal.ts";

/** A box that a dead predecessor of this instance left: a cgroup, perhaps with processes still in it. */
export interface Orphan {
  readonly id: string;
  usage(): CgroupUsage;
  kill(): Promise<void>;
  /** Final usage; afterwards the cgroup is gone. */
  remove(): Promise<CgroupUsage>;
}

/** Everything that makes boxes on this host. */
export interface BoxHost {
  readonly cgroup: "v1" | "v2";
  /** Counters that this kernel does not offer. */
  readonly missing: readonly CgroupCounter[];
  /** Host pid of the launcher. */
  readonly launcherPid: number | undefined;
  /**
   * Resolves when the program runs, or when the box was refused: a refusal is an ending, not a throw.
   * @throws BadBoxSpec for a spec that cannot be a box; CgroupError when its cgroup cannot be made
   */
  start(spec: BoxSpec): Promise<Box>;
  /** Resolves when the nursery is sealed and takes orders (`spec.nursery` of a box), or when it has ended: `pid` is 0 then. */
  openNursery(spec: NurserySpec): Promise<Nursery>;
  /** Resolves when boxes can have `network: "egress"`; it is made when it is first asked for. @throws NetworkError with the remedy */
  openNetwork(): Promise<void>;
  /**
   * A range of ids that no other box has until `releaseIds`, by its first as the host numbers it; after a restart, the one that is named.
   * @throws Error when all are taken, or this one is
   */
  reserveIds(idBase: number | null): number;
  releaseIds(idBase: number): void;
  /** Takes the network of a dead predecessor away as well. */
  orphans(): Promise<Orphan[]>;
  /** Ends every box, the launcher, and removes our cgroups. */
  close(): Promise<void>;
  /** Resolves when the launcher has died on its own: no box can be made any more. */
  readonly failed: Promise<void>;
}

export interface BoxHostOptions {
  /** `[a-z0-9-]`: names this instance's cgroups. */
  readonly instance: string;
  /** Path of the launcher's binary. */
  readonly launcher: string;
  /** Path of native.node. */
  readonly addon: string;
  /** A folder of root's own for the launcher's mounts. */
  readonly runDir: string;
  readonly onDiagnostic?: (line: string) => void;
  /** The host's list of resolvers; /etc/resolv.conf when not given. Where boxes may go. For tests: what the network does not enforce. */
  readonly network?: Pick<NetworkOptions, "resolvConf" | "allowed" | "off">;
  /** For tests: accept specs that switch a protection off. */
  readonly allowUnprotected?: boolean;
}

/** @throws CgroupError when the host's cgroups cannot be used */
export async function openBoxHost(options: BoxHostOptions): Promise<BoxHost> {
  const tree = await openCgroupTree({ instance: options.instance });
  const addon = loadAddon(options.addon);
  const launcher = new Launcher({
    binary: options.launcher,
    runDir: options.runDir,
    addon,
    onDiagnostic: options.onDiagnostic ?? (() => {}),
    allowUnprotected: options.allowUnprotected ?? false,
  });
  const network = new NetworkDoor({
    instance: options.instance,
    addon,
    runDir: join(options.runDir, "network"),
    onDiagnostic: options.onDiagnostic ?? (() => {}),
    ...options.network,
  });
  return new Host(tree, addon, launcher, network);
}

/** native/userns.h */
const FIRST_HOST_ID = 0x40000000;
const IDS_PER_BOX = 65_536;
const baseOf = (slot: number): number => FIRST_HOST_ID + slot * IDS_PER_BOX;
const slotOf = (idBase: number): number => (idBase - FIRST_HOST_ID) / IDS_PER_BOX;

class Host implements BoxHost {
  readonly #tree: CgroupTree;
  readonly #addon: Addon;
  readonly #launcher: Launcher;
  readonly #network: NetworkDoor;
  readonly #slots = new Slots(1024);
  readonly #running = new Map<string, RunningBox>();
  /** Ids whose cgroup is a box's of this host, running or not removed yet: no orphans. */
  readonly #owned = new Set<string>();
  #closing = false;
  readonly failed: Promise<void>;

  constructor(tree: CgroupTree, addon: Addon, launcher: Launcher, network: NetworkDoor) {
    this.#tree = tree;
    this.#addon = addon;
    this.#launcher = launcher;
    this.#network = network;
    this.failed = launcher.ended.then(() => (this.#closing ? new Promise<void>(() => {}) : undefined));
  }

  get cgroup(): "v1" | "v2" {
    return this.#tree.version;
  }

  get missing(): readonly CgroupCounter[] {
    return this.#tree.missing;
  }

  get launcherPid(): number | undefined {
    return this.#launcher.pid;
  }

  async start(spec: BoxSpec): Promise<Box> {
    checkSpec(spec);
    const lease = await this.#lease(spec);
    if (lease === null) return this.#start(spec, null);
    try {
      return await this.#start(spec, lease);
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** Null: the launcher makes its network namespace, which nobody but the box needs to have. */
  async #lease(spec: BoxSpec): Promise<Lease | null> {
    if (spec.network === "egress") return (await this.#network.open()).take();
    return spec.serve === null ? null : loopbackLease(this.#addon);
  }

  async openNetwork(): Promise<void> {
    await this.#network.open();
  }

  reserveIds(idBase: number | null): number {
    if (idBase === null) return baseOf(this.#slots.take());
    this.#slots.takeThis(slotOf(idBase));
    return idBase;
  }

  releaseIds(idBase: number): void {
    this.#slots.release(slotOf(idBase));
  }

  async #start(spec: BoxSpec, lease: Lease | null): Promise<Box> {
    const slot = spec.idBase === null ? this.#slots.take() : slotOf(spec.idBase);
    const release = () => {
      if (spec.idBase === null) this.#slots.release(slot);
    };
    const { cgroup, streams, request, listener } = this.#prepare(spec, slot, lease, release);
    const box = new RunningBox({
      id: spec.id,
      cgroup,
      lease,
      forked: spec.nursery !== null,
      idBase: baseOf(slot),
      channel: streams.channel,
      stdin: streams.stdin,
      listener,
      terminal: streams.terminal && new Terminal(streams.terminal),
      connectIn: this.#addon.connectIn,
      stdout: streams.stdout,
      stderr: streams.stderr,
      kill: () => this.#kill(spec.id),
      onGone: () => {
        this.#launcher.forget(spec.id);
        release();
        this.#running.delete(spec.id);
      },
      onRemoved: () => this.#owned.delete(spec.id),
    });
    this.#running.set(spec.id, box);
    this.#owned.add(spec.id);
    this.#launcher.listen(spec.id, (event) => box.take(event));
    await this.#order(request, streams, lease, box);
    await box.entered;
    return box;
  }

  async openNursery(spec: NurserySpec): Promise<Nursery> {
    const streams = openStreams(this.#addon, {
      ...{ owner: { uid: 0, gid: 0 }, channel: false, stdin: false, terminal: false },
    });
    const nursery = new RunningNursery({
      id: spec.id,
      stdout: streams.stdout,
      stderr: streams.stderr,
      kill: () => this.#kill(spec.id),
      onGone: () => this.#launcher.forget(spec.id),
    });
    this.#launcher.listen(spec.id, (event) => nursery.take(event));
    await this.#order(nurseryRequest(spec, selfJoinFiles(this.#tree.version, this.#tree.boot)), streams, null, nursery);
    await nursery.sealed;
    return nursery;
  }

  /** Sends a request with its descriptors. A launcher that cannot be reached is a refusal. */
  async #order(
    request: Uint8Array,
    streams: Streams,
    lease: Lease | null,
    made: { take(event: LauncherEvent): void },
  ): Promise<void> {
    try {
      await this.#launcher.send(request, lease === null ? streams.theirs : [...streams.theirs, lease.fd]);
    } catch (error) {
      const { code = "EPIPE", message } = error as NodeJS.ErrnoException;
      const said = `the launcher cannot be reached: ${message}`;
      made.take({ event: "refused", step: "clone", errno: code, message: said });
      made.take({ event: "gone" });
    } finally {
      for (const fd of streams.theirs) closeSync(fd);
    }
  }

  #kill(id: string): void {
    void this.#launcher.send(killRequest(id), []).catch(() => {});
  }

  async orphans(): Promise<Orphan[]> {
    await this.#network.sweep();
    return this.#tree
      .list()
      .filter((id) => !this.#owned.has(id))
      .map((id) => orphan(this.#tree.open(id)));
  }

  async close(): Promise<void> {
    this.#closing = true;
    const boxes = [...this.#running.values()];
    for (const box of boxes) box.kill({ kind: "killed", reason: "the host is closing" });
    await Promise.all(boxes.map((box) => box.ended));
    await this.#network.close();
    await this.#launcher.close();
    await this.#tree.close();
  }

  /** What a box has on our side. What was made is taken back when the rest cannot be. */
  #prepare(
    spec: BoxSpec,
    slot: number,
    lease: Lease | null,
    release: () => void,
  ): { cgroup: Cgroup; streams: Streams; request: Uint8Array; listener: number | null } {
    let cgroup: Cgroup | undefined;
    let listener: number | null = null;
    try {
      cgroup = this.#tree.create(spec.id, spec.limits);
      const owner = { uid: baseOf(slot) + spec.user.uid, gid: baseOf(slot) + spec.user.gid };
      const procs = spec.meter === "from_exec" || spec.nursery !== null ? cgroup.procsFiles : this.#tree.boot;
      const joins = selfJoinFiles(this.#tree.version, procs);
      const request = startRequest(spec, slot, joins, lease);
      if (spec.serve !== null) listener = this.#addon.listenIn(lease!.fd, spec.serve);
      return { cgroup, request, listener, streams: openStreams(this.#addon, { ...spec, owner }) };
    } catch (error) {
      release();
      if (listener !== null) closeSync(listener);
      void cgroup?.remove().catch(() => {}); // nobody is in it yet
      throw error;
    }
  }
}

function orphan(cgroup: Cgroup): Orphan {
  return {
    id: cgroup.id,
    usage: () => cgroup.usage(),
    kill: () => cgroup.kill(),
    remove: async () => {
      const usage = cgroup.usage();
      await cgroup.remove();
      return usage;
    },
  };
}
