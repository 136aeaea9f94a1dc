import { z } from "zod";

/** Names of functions, tags and aliases: a DNS label. */
export const NAME_PATTERN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
export const FunctionName = z
  .string()
  .regex(NAME_PATTERN, "a name is 1 to 63 of a-z, 0-9 and '-', and neither starts nor ends with '-'")
  .brand<"FunctionName">();
export type FunctionName = z.infer<typeof FunctionName>;

const ULID_LIKE = "[0-9a-f]{32}";
export const InvocationId = z
  .string()
  .regex(new RegExp(`^inv_${ULID_LIKE}$`))
  .brand<"InvocationId">();
export type InvocationId = z.infer<typeof InvocationId>;
export const BuildId = z
  .string()
  .regex(new RegExp(`^bld_${ULID_LIKE}$`))
  .brand<"BuildId">();
export type BuildId = z.infer<typeof BuildId>;
export const PublishId = z
  .string()
  .regex(new RegExp(`^pub_${ULID_LIKE}$`))
  .brand<"PublishId">();
export type PublishId = z.infer<typeof PublishId>;
export const ImageRequestId = z
  .string()
  .regex(new RegExp(`^img_${ULID_LIKE}$`))
  .brand<"ImageRequestId">();
export type ImageRequestId = z.infer<typeof ImageRequestId>;
export const BoxRequestId = z
  .string()
  .regex(new RegExp(`^bxr_${ULID_LIKE}$`))
  .brand<"BoxRequestId">();
export type BoxRequestId = z.infer<typeof BoxRequestId>;

/** A box that is made before its request: it has no invocation to be named after. */
export const BoxId = z.string().regex(new RegExp(`^(inv|box)_${ULID_LIKE}$`));
export type BoxId = z.infer<typeof BoxId>;

/** `sha256:` and 64 hex digits, as in the OCI image spec ("Digests"). */
export const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .brand<"Digest">();
export type Digest = z.infer<typeof Digest>;

/**
 * UUIDv7 (RFC 9562 §5.7) as 32 hex digits, without dashes: it sorts by time, and as part of an id it is
 * a legal BullMQ job id, cgroup name and file name.
 */
function uuidv7(nowMs: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = BigInt(nowMs);
  for (let i = 5; i >= 0; i--) {
    bytes[i] = Number(time & 0xffn);
    time >>= 8n;
  }
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export const newInvocationId = (nowMs: number): InvocationId => `inv_${uuidv7(nowMs)}` as InvocationId;
export const newBoxId = (nowMs: number): BoxId => `box_${uuidv7(nowMs)}`;
export const newPublishId = (nowMs: number): PublishId => `pub_${uuidv7(nowMs)}` as PublishId;
export const newImageRequestId = (nowMs: number): ImageRequestId => `img_${uuidv7(nowMs)}` as ImageRequestId;
export const newBoxRequestId = (nowMs: number): BoxRequestId => `bxr_${uuidv7(nowMs)}` as BoxRequestId;
export const newBuildId = (nowMs: number): BuildId => `bld_${uuidv7(nowMs)}` as BuildId;
