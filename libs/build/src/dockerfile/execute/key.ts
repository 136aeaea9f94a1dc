import { createHash } from "node:crypto";
import type { Digest } from "@mayfly/contract";
import { identityOf, type Placed } from "../copy/layer.ts";
import type { RunRequest } from "./ports.ts";

/** Changes when what a key stands for does: results of another meaning are not found. */
const VERSION = 3;

/** What a COPY, ADD or WORKDIR depends on: what is below, and what it puts there, times aside. */
export const placedKey = (below: readonly Digest[], placed: readonly Placed[]): string =>
  keyOf({ kind: "files", below, placed: placed.map(identityOf) });

/** What a RUN depends on. Of bound files the content counts, of caches and secrets only what they are called. */
export const runKey = (
  below: readonly Digest[],
  request: Omit<RunRequest, "rootfs" | "mounts" | "onOutput">,
  mounts: readonly unknown[],
): string => keyOf({ kind: "run", below, ...request, mounts });

/** What was fetched: where, and by what the server tells it from other contents, or a checksum. */
export const remoteKey = (source: object, identity: string): string => keyOf({ kind: "remote", source, identity });

const keyOf = (value: object): string =>
  createHash("sha256")
    .update(JSON.stringify({ version: VERSION, ...value }))
    .digest("hex");
