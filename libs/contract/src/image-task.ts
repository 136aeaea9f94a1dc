import { z } from "zod";
import { Digest, ImageRequestId } from "./id.ts";

/** What the gateway and a worker say to each other about the images of the worker's store, and what users get to see of it. */

/**
 * BullMQ job of queue `image`: somebody wants something of the worker's images. What it is, the gateway says over the channel, for it may
 * hold a password: the queue never sees one.
 */
export const ImageJob = z.object({
  request: ImageRequestId,
  channel: z.string(),
});
export type ImageJob = z.infer<typeof ImageJob>;

/** `[host/]name[:tag][@digest]` or a digest; what is wrong with it, the worker says. */
const Reference = z.string().min(1).max(512);

/** Who we are at a registry: a user with a password, or a bearer token as it is. */
const Credential = z.union([
  z.strictObject({ username: z.string().min(1), password: z.string() }),
  z.strictObject({ bearer: z.string().min(1) }),
]);

/** `linux/arm/v7`; `all` is every platform of an index. */
const PlatformName = z
  .string()
  .regex(/^(all|[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9]+)?)$/, "write it like linux/amd64, or all");

/** At a registry. */
const remote = {
  credential: Credential.nullable().default(null),
  /** Plain HTTP, also for another machine than this one. */
  insecure: z.boolean().default(false),
};

/** Gateway → worker, RECORD after GO of an `image` request. `load` and `import` are followed by DATA frames and END. */
export const ImageTask = z.discriminatedUnion("verb", [
  z.strictObject({ verb: z.literal("list") }),
  z.strictObject({ verb: z.literal("inspect"), reference: Reference }),
  z.strictObject({ verb: z.literal("history"), reference: Reference }),
  z.strictObject({ verb: z.literal("tag"), reference: Reference, image: Reference }),
  z.strictObject({ verb: z.literal("untag"), reference: Reference }),
  z.strictObject({ verb: z.literal("log"), reference: Reference }),
  /** Back to what the tag pointed at before, or to a digest of its log. */
  z.strictObject({ verb: z.literal("rollback"), reference: Reference, to: Digest.nullable().default(null) }),
  z.strictObject({
    verb: z.literal("save"),
    references: z.array(Reference).min(1).max(100),
    format: z.enum(["docker", "oci"]).default("docker"),
  }),
  z.strictObject({ verb: z.literal("load") }),
  z.strictObject({ verb: z.literal("export"), reference: Reference }),
  z.strictObject({
    verb: z.literal("import"),
    reference: Reference,
    /** Dockerfile instructions: `CMD ["/bin/sh"]`. */
    changes: z.array(z.string().max(4096)).max(100).default([]),
    message: z.string().max(4096).nullable().default(null),
  }),
  z.strictObject({
    verb: z.literal("pull"),
    reference: Reference,
    platform: PlatformName.nullable().default(null),
    ...remote,
  }),
  /** What a name stands for: here, else at the registry that it names or at those of the operator. The answer has its whole name. */
  z.strictObject({ verb: z.literal("resolve"), reference: Reference }),
  /** To `to`; null: to where the image's own name says. */
  z.strictObject({ verb: z.literal("push"), reference: Reference, to: Reference.nullable().default(null), ...remote }),
  z.strictObject({
    verb: z.literal("gc"),
    /** Images of versions: they stay whether anything is tagged or not. */
    keep: z.array(Digest),
    /** What was used more recently stays, whatever reaches it. */
    unused_s: z.int().nonnegative().default(3600),
  }),
  /** What builds remember and did not use for so long is forgotten. */
  z.strictObject({ verb: z.literal("prune_builds"), unused_s: z.int().nonnegative() }),
  z.strictObject({ verb: z.literal("fsck"), mend: z.boolean().default(false), deep: z.boolean().default(false) }),
]);
export type ImageTask = z.infer<typeof ImageTask>;
export type ImageVerb = ImageTask["verb"];

/** Worker → gateway, RECORD: how one blob stands while an image moves. */
export const ImageProgress = z.object({
  digest: Digest,
  size_bytes: z.int(),
  done_bytes: z.int(),
  state: z.enum(["moving", "again", "done", "present", "mounted"]),
  reason: z.string().optional(),
});
export type ImageProgress = z.infer<typeof ImageProgress>;

/** What comes back, verb by verb: the payload of ACK. `save` and `export` answer with bytes. */
export interface ImageResults {
  readonly list: { readonly images: readonly ImageSummary[] };
  readonly inspect: ImageView;
  readonly history: { readonly history: readonly ImageStep[] };
  readonly tag: TaggedImage;
  readonly untag: TaggedImage;
  readonly log: { readonly log: readonly { readonly digest: Digest; readonly tagged_at: string | null }[] };
  readonly rollback: TaggedImage;
  readonly load: { readonly images: readonly { readonly digest: Digest; readonly tags: readonly string[] }[] };
  readonly import: TaggedImage;
  readonly pull: TaggedImage;
  readonly push: TaggedImage;
  readonly resolve: TaggedImage;
  readonly gc: { readonly blobs: number; readonly snapshots: number; readonly freed_bytes: number };
  readonly prune_builds: { readonly steps: number; readonly mounts: number; readonly freed_bytes: number };
  readonly fsck: {
    readonly blobs: number;
    readonly snapshots: number;
    /** One sentence each; empty when all is well. */
    readonly problems: readonly string[];
    readonly mended: readonly string[];
  };
}

export interface TaggedImage {
  readonly reference: string;
  readonly digest: Digest;
}

export interface ImageSummary {
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly created: string;
  readonly architecture: string;
  readonly layers: number;
  readonly size_bytes: number;
}

/** One image: `config` is the member of that name of the OCI image configuration, as it is. */
export interface ImageView {
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly created: string;
  readonly author: string | null;
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | null;
  readonly size_bytes: number;
  readonly layers: readonly { readonly digest: Digest; readonly diff_id: Digest; readonly size_bytes: number }[];
  readonly config: Readonly<Record<string, unknown>>;
}

/** A step of how an image came to be; `layer` is null where it made none. */
export interface ImageStep {
  readonly created: string | null;
  readonly created_by: string;
  readonly comment: string;
  readonly author: string | null;
  readonly layer: { readonly digest: Digest; readonly size_bytes: number } | null;
}
