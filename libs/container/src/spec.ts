import type { BoxMount, RootFs } from "@mayfly/contract";
import { wrongMounts } from "./mounts.ts";

/** Everything that makes a box, as plain data. Nothing is optional; the launcher adds nothing of its own. */
export interface BoxSpec {
  /** Names the cgroup: `[a-z0-9_-]`, at most 63 characters. */
  readonly id: string;
  readonly rootfs: RootFs;
  readonly mounts: readonly BoxMount[];
  /**
   * A folder, empty but for the `u` of an earlier run, whose `u` is to keep what the box writes, owners by their numbers on the host
   * (`Box.idBase`); null: what it writes is in memory, within `tmp_bytes`, and goes with it.
   */
  readonly writable: string | null;
  /**
   * Its id 0 as the host numbers it, of a range that `BoxHost.reserveIds` gave: what it left in `writable` is its own when it starts again.
   * null: any range that is free while it runs.
   */
  readonly idBase: number | null;
  /** The program and its arguments. Without a slash it is looked for in the PATH of `env`. */
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** Ids inside of the box, 0 to 65535. */
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  readonly hostname: string;
  readonly limits: {
    readonly memory_bytes: number;
    readonly cpu_millis: number;
    readonly cpu_weight: number;
    readonly pids: number;
    /** Size of the writable layer, in memory: everything the box writes, /tmp and /dev/shm included. */
    readonly tmp_bytes: number;
    readonly open_files: number;
  };
  readonly profile: "function" | "build";
  /**
   * Whose fork the box's main process is to be; null: its program is exec'd. A fork has what its nursery runs as its program, whatever
   * `args` says, and is metered from the moment it is in the box.
   */
  readonly nursery: string | null;
  /**
   * `from_exec`: the program joins the box's cgroup before it starts. `from_handover`: it starts in the shared boot group and moves by
   * `handover()`; only for a runtime of ours that runs no user code before.
   */
  readonly meter: "from_exec" | "from_handover";
  /** `none`: loopback alone. `egress`: the public internet as well, and names; nothing private, no other box, not this host. */
  readonly network: "none" | "egress";
  /** A port of 127.0.0.1 in the box on which we listen, from before its program starts (`Box.server`); null: none. */
  readonly serve: number | null;
  /** Whether the program gets a socket to us as descriptor 3. */
  readonly channel: boolean;
  /** Whether its standard input is a pipe from us; else it is empty. */
  readonly stdin: boolean;
  /**
   * Whether its standard streams are a terminal of the box's own (`Box.terminal`): then it has neither channel nor `stdin`, and stdout and
   * stderr stay empty.
   */
  readonly terminal: boolean;
  /** For tests: `idmap: "off"` mounts layers without the box's ids; protections can be off in a host that allows it. */
  readonly test?: { readonly idmap?: "off"; readonly unprotected?: readonly Protection[] };
}

export const PROTECTIONS = ["seccomp", "masks", "capabilities", "namespace_limits"] as const;
export type Protection = (typeof PROTECTIONS)[number];

/** A spec that cannot be a box. Thrown by `start` before anything is made. */
export class BadBoxSpec extends Error {
  override name = "BadBoxSpec";
}

/** @throws BadBoxSpec naming the field and what would be right */
export function checkSpec(spec: BoxSpec): void {
  const wrong = (field: string, message: string): never => {
    throw new BadBoxSpec(`${field}: ${message}`);
  };
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(spec.id))
    wrong("id", `${JSON.stringify(spec.id)} is not 1 to 63 of a-z, 0-9, '_', '-'`);
  if (spec.rootfs.lower.length === 0 || spec.rootfs.lower.length > 256) wrong("rootfs", "1 to 256 layers");
  if (spec.serve !== null && !(Number.isInteger(spec.serve) && spec.serve > 0 && spec.serve < 65_536))
    wrong("serve", `${spec.serve} is no port`);
  if (spec.writable !== null && !spec.writable.startsWith("/")) wrong("writable", "an absolute path, or null");
  if (!spec.args[0]) wrong("args", "there is no program");
  if (spec.args.length > 256) wrong("args", "at most 256 arguments");
  if (spec.env.length > 1024) wrong("env", "at most 1024 variables");
  if (spec.terminal && (spec.channel || spec.stdin || spec.nursery !== null))
    wrong("terminal", "it comes without a channel, stdin and a nursery");
  if (!spec.cwd.startsWith("/")) wrong("cwd", "an absolute path in the box");
  for (const id of [spec.user.uid, spec.user.gid, ...spec.user.groups]) {
    if (!Number.isInteger(id) || id < 0 || id > 65_535) wrong("user", `${id} is no id from 0 to 65535`);
  }
  if (spec.user.groups.length > 32) wrong("user", "at most 32 groups");
  if (Buffer.byteLength(spec.hostname) > 64) wrong("hostname", "at most 64 bytes");
  const mounts = wrongMounts(spec.mounts);
  if (mounts !== null) wrong("mounts", mounts);
  for (const text of [...spec.args, ...spec.env, ...spec.rootfs.lower, spec.cwd, spec.hostname]) {
    if (text.includes("\0")) wrong("args, env or paths", "a string holds a NUL byte");
  }
  for (const [name, value] of Object.entries(spec.limits)) {
    if (!Number.isSafeInteger(value) || value <= 0) wrong(`limits.${name}`, `${value} is no positive integer`);
  }
}
