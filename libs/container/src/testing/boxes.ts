import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Ending } from "@mayfly/contract";
import type { Box, BoxUsage } from "../box.ts";
import { type BoxHost, type BoxHostOptions, openBoxHost } from "../host.ts";
import type { BoxSpec } from "../spec.ts";
import { buildNative, type Native } from "./native.ts";
import { makeLayers, NODE_MOUNTS } from "./root.ts";

const MIB = 1024 * 1024;

/** What is left of a box that ran to its end. */
export interface Ran {
  readonly box: Box;
  readonly ending: Ending;
  readonly usage: BoxUsage;
  readonly stdout: string;
  readonly stderr: string;
}

type Changes = Partial<Omit<BoxSpec, "limits">> & { readonly limits?: Partial<BoxSpec["limits"]> };

/** A host for boxes on a folder and in cgroups of its own, with a tiny root file system that holds the probe. */
export class TestBoxes {
  readonly dir: string;
  readonly instance: string;
  readonly native: Native;
  readonly layers: readonly string[];
  readonly host: BoxHost;
  readonly diagnostics: string[];
  #count = 0;

  /** Builds the C anew unless it is given. */
  static async open(
    options: {
      allowUnprotected?: boolean;
      native?: Native;
      network?: BoxHostOptions["network"];
      instance?: string;
    } = {},
  ): Promise<TestBoxes> {
    const dir = mkdtempSync(join(tmpdir(), "mayfly-boxes-"));
    const native = options.native ?? buildNative(join(dir, "native"));
    mkdirSync(join(dir, "run"), { mode: 0o700 });
    const diagnostics: string[] = [];
    const instance = options.instance ?? `test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
    const host = await openBoxHost({
      instance,
      launcher: native.launcher,
      addon: native.addon,
      runDir: join(dir, "run"),
      onDiagnostic: (line) => diagnostics.push(line),
      allowUnprotected: options.allowUnprotected ?? false,
      ...(options.network ? { network: options.network } : {}),
    });
    return new TestBoxes(dir, instance, native, host, diagnostics);
  }

  private constructor(dir: string, instance: string, native: Native, host: BoxHost, diagnostics: string[]) {
    this.dir = dir;
    this.instance = instance;
    this.native = native;
    this.host = host;
    this.diagnostics = diagnostics;
    this.layers = makeLayers(join(dir, "layers"), native.probe);
  }

  spec(args: readonly string[], changes: Changes = {}): BoxSpec {
    const { limits, ...rest } = changes;
    this.#count += 1;
    return {
      id: `box-${this.#count}`,
      rootfs: { lower: this.layers },
      mounts: [],
      args,
      env: ["PATH=/bin"],
      cwd: "/app",
      user: { uid: 1000, gid: 1000, groups: [] },
      hostname: "box",
      limits: {
        memory_bytes: 128 * MIB,
        cpu_millis: 1000,
        cpu_weight: 100,
        pids: 32,
        tmp_bytes: 16 * MIB,
        open_files: 1024,
        ...limits,
      },
      profile: "function",
      nursery: null,
      meter: "from_exec",
      channel: false,
      stdin: false,
      terminal: false,
      writable: null,
      serve: null,
      idBase: null,
      network: "none",
      ...rest,
    };
  }

  /** A box with the probe in one of its habits. */
  probe(habit: string, changes: Changes = {}): BoxSpec {
    return this.spec(["/bin/probe", ...habit.split(" ")], changes);
  }

  /** A box with Node and a piece of JavaScript. */
  node(script: string, changes: Changes = {}): BoxSpec {
    const limits = { memory_bytes: 512 * MIB, pids: 64, ...changes.limits };
    return this.spec(["/usr/local/bin/node", "-e", script], {
      mounts: NODE_MOUNTS,
      env: ["PATH=/usr/local/bin:/bin", "HOME=/tmp"],
      ...changes,
      limits,
    });
  }

  /** Runs a box to its end. */
  async run(spec: BoxSpec): Promise<Ran> {
    const box = await this.host.start(spec);
    const [ending, stdout, stderr] = await Promise.all([box.ended, text(box.stdout), text(box.stderr)]);
    box.channel?.destroy();
    return { box, ending, stdout, stderr, usage: await box.remove() };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.host.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
