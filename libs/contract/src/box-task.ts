import { z } from "zod";
import { BoxRequestId, type Digest } from "./id.ts";
import { LIMIT_BOUNDS } from "./limits.ts";
import type { CgroupUsage, NetworkUsage } from "./usage.ts";

/** What the gateway and a worker say to each other about kept boxes, and what users get to see of them. */

/** BullMQ job of queue `box`: somebody wants something of a worker's boxes; the gateway says over the channel what it is. */
export const BoxJob = z.object({
  request: BoxRequestId,
  channel: z.string(),
});
export type BoxJob = z.infer<typeof BoxJob>;

const MiB = 1024 * 1024;

/** What a box may have, beside what a function may (`LIMIT_BOUNDS`). */
export const BOX_LIMITS = {
  memory_bytes: { min: LIMIT_BOUNDS.memory_bytes.min, max: 1024 * 1024 * MiB, default: 512 * MiB },
  cpu_millis: { ...LIMIT_BOUNDS.cpu_millis, default: 1000 },
  pids: { ...LIMIT_BOUNDS.pids, default: 512 },
  /** Of /dev/shm. */
  tmp_bytes: LIMIT_BOUNDS.tmp_bytes,
  /** Of what it writes, on disk: looked at every few seconds, and the box is killed when it is more. */
  disk_bytes: { min: MiB, max: 1024 * 1024 * MiB, default: 10 * 1024 * MiB },
} as const;

const limit = (name: keyof typeof BOX_LIMITS) => {
  const { min, max, default: fallback } = BOX_LIMITS[name];
  return z.int().min(min).max(max).default(fallback);
};

export const BoxName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/, "a name is 1 to 63 of letters, digits, '_', '.' and '-'")
  .refine((name) => !name.startsWith("box_"), "names do not start with box_, as ids do");

const Path = z
  .string()
  .max(4000)
  .regex(/^\/[^\0\n]*$/, "an absolute path");
const Words = z.array(z.string()).max(250);

/** A file or folder of the worker's host, shown in a box. */
export const BoxVolume = z.strictObject({
  source: Path,
  target: Path,
  readonly: z.boolean().default(false),
  /**
   * Whose numbers its owners are: `host`, as they are, which is nobody in the box, and what the box makes there belongs to `id_base` and up;
   * or `box`: 0 on the host is the box's root, and what the box makes as root is the host's root's.
   */
  ids: z.enum(["host", "box"]).default("host"),
});
export type BoxVolume = z.infer<typeof BoxVolume>;

/** What a box is to be; what is null is as the image says. */
export const BoxWanted = z.strictObject({
  /** As `Reference` of image tasks. */
  image: z.string().min(1).max(512),
  name: BoxName.nullable().default(null),
  /** One empty word: none. */
  entrypoint: Words.nullable().default(null),
  command: Words.nullable().default(null),
  env: z.record(z.string().regex(/^[^=\0]+$/), z.string().regex(/^[^\0]*$/)).default({}),
  cwd: Path.nullable().default(null),
  /** `name`, `uid`, each with `:group` or `:gid`. */
  user: z.string().max(256).nullable().default(null),
  hostname: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9.-]{0,62}$/)
    .nullable()
    .default(null),
  volumes: z.array(BoxVolume).max(24).default([]),
  network: z.enum(["none", "egress"]).default("none"),
  memory_bytes: limit("memory_bytes"),
  cpu_millis: limit("cpu_millis"),
  pids: limit("pids"),
  tmp_bytes: limit("tmp_bytes"),
  disk_bytes: limit("disk_bytes"),
  /** Its standard input is open until somebody who is attached closes it; else it is empty. */
  stdin: z.boolean().default(false),
  /** Its standard streams are a terminal; all that it writes is its standard output then. */
  terminal: z.boolean().default(false),
  /** It is removed when it ends. */
  remove: z.boolean().default(false),
});
export type BoxWanted = z.infer<typeof BoxWanted>;

/** A name, an id, or how an id begins. */
const Which = { box: z.string().min(1).max(64) };

/** Gateway → worker, RECORD after GO of a `box` request. */
export const BoxTask = z.discriminatedUnion("verb", [
  z.strictObject({ verb: z.literal("create"), wanted: BoxWanted, start: z.boolean().default(true) }),
  z.strictObject({ verb: z.literal("list"), all: z.boolean().default(false) }),
  z.strictObject({ verb: z.literal("inspect"), ...Which }),
  z.strictObject({ verb: z.literal("start"), ...Which }),
  /** The image's stop signal; SIGKILL after so long. */
  z.strictObject({ verb: z.literal("stop"), ...Which, timeout_s: z.int().min(0).max(3600).default(10) }),
  z.strictObject({
    verb: z.literal("kill"),
    ...Which,
    signal: z
      .string()
      .regex(/^(SIG)?[A-Z][A-Z0-9]*$/)
      .default("SIGKILL"),
  }),
  z.strictObject({ verb: z.literal("pause"), ...Which }),
  z.strictObject({ verb: z.literal("unpause"), ...Which }),
  z.strictObject({ verb: z.literal("wait"), ...Which }),
  /** Answered with DATA (standard output) and STDERR frames, then END. */
  z.strictObject({ verb: z.literal("logs"), ...Which, follow: z.boolean().default(false) }),
  /**
   * Both ways: DATA and END are the box's standard input, RECORD a `BoxOrder`; DATA and STDERR are what it writes, ACK a `BoxEnd`.
   * With `start` it is started once whoever asks will hear all of it.
   */
  z.strictObject({ verb: z.literal("attach"), ...Which, start: z.boolean().default(false) }),
  z.strictObject({
    verb: z.literal("commit"),
    ...Which,
    /** The new image's tag; null: it has none, and garbage collection takes it in time. */
    reference: z.string().min(1).max(512).nullable().default(null),
    author: z.string().max(1024).nullable().default(null),
    message: z.string().max(4096).nullable().default(null),
    /** Dockerfile instructions. */
    changes: z.array(z.string().max(4096)).max(100).default([]),
    pause: z.boolean().default(true),
  }),
  /** Answered with a tar. */
  z.strictObject({ verb: z.literal("export"), ...Which }),
  z.strictObject({ verb: z.literal("changes"), ...Which }),
  z.strictObject({ verb: z.literal("remove"), ...Which, force: z.boolean().default(false) }),
]);
export type BoxTask = z.infer<typeof BoxTask>;
export type BoxVerb = BoxTask["verb"];

const Length = z.int().min(1).max(65_535);
export const BoxOrder = z.union([
  z.strictObject({ signal: z.string().regex(/^SIG[A-Z0-9]+$/) }),
  /** Of its terminal, in characters. */
  z.strictObject({ rows: Length, columns: Length }),
]);
/** Client → box, while attached. */
export type BoxOrder = z.infer<typeof BoxOrder>;

export interface BoxEnd {
  /** Of the program; 128 and the signal that killed it; 125, 126, 127 as Docker says them when it could not be run. */
  readonly exit_code: number;
  /** In a sentence. */
  readonly ended: string;
}

export const BOX_STATUS = ["created", "running", "paused", "exited"] as const;
export type BoxStatus = (typeof BOX_STATUS)[number];

/** A kept box. Times are RFC 3339. */
export interface BoxView extends Omit<BoxWanted, "image" | "entrypoint" | "command" | "env"> {
  readonly id: string;
  readonly host: string;
  /** As it was asked for, and what that was. */
  readonly reference: string;
  readonly image: Digest;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly status: BoxStatus;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  /** Of the run that ended last. */
  readonly exit_code: number | null;
  readonly ended: string | null;
  /** The host's number of its id 0: so are the owners of what it writes into volumes. */
  readonly id_base: number;
  /** Of this run so far, or of the last; null before the first, and of one whose worker was lost with its counters. */
  readonly usage: (CgroupUsage & Partial<NetworkUsage>) | null;
}

export interface BoxChange {
  readonly kind: "added" | "changed" | "deleted";
  readonly path: string;
}
