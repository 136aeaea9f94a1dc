import { mountPairs } from "./mounts.ts";
import type { NurserySpec } from "./nursery.ts";
import { BadBoxSpec, type BoxSpec } from "./spec.ts";

/** REQUEST_MAX_BYTES of native/request.h: the launcher's buffer. */
const MAX_BYTES = 192 * 1024;

/**
 * The launcher's request format: key NUL value NUL, repeated (native/request.h).
 * @param given the network namespace that is sent along; null: the launcher makes one with loopback alone
 * @throws BadBoxSpec when the spec is too long for it
 */
export function startRequest(
  spec: BoxSpec,
  slot: number,
  joins: readonly string[],
  given: { readonly resolvConf: string | null } | null,
): Uint8Array {
  const pairs: [string, string | number][] = [
    ["op", "start"],
    ["id", spec.id],
    ...(spec.nursery === null ? [] : [["nursery", spec.nursery] as [string, string]]),
    ["slot", slot],
    ...spec.rootfs.lower.map((dir): [string, string] => ["lower", dir]),
    ...spec.mounts.flatMap(mountPairs),
    ...joins.map((file): [string, string] => ["join", file]),
    ...spec.args.map((arg): [string, string] => ["arg", arg]),
    ...spec.env.map((entry): [string, string] => ["env", entry]),
    ["cwd", spec.cwd],
    ["hostname", spec.hostname],
    ["uid", spec.user.uid],
    ["gid", spec.user.gid],
    ...spec.user.groups.map((group): [string, number] => ["group", group]),
    ["tmp_bytes", spec.limits.tmp_bytes],
    ["open_files", spec.limits.open_files],
    ["profile", spec.profile],
    ...(spec.writable === null ? [] : [["writable", spec.writable] as [string, string]]),
    ["stdin", spec.stdin ? "yes" : "no"],
    ...(spec.terminal ? [["terminal", "yes"] as [string, string]] : []),
    // The network namespace's descriptor comes last.
    ...(given === null ? [] : [["netns", "given"] as [string, string]]),
    ...(given?.resolvConf ? [["resolv_conf", given.resolvConf] as [string, string]] : []),
    ...(spec.test?.idmap === "off" ? [["idmap", "off"] as [string, string]] : []),
    ...(spec.test?.unprotected ?? []).map((what): [string, string] => ["unprotected", what]),
  ];
  const request = encode(pairs);
  if (request.byteLength > MAX_BYTES) {
    throw new BadBoxSpec(
      `args, env and paths: ${request.byteLength} bytes together, at most ${MAX_BYTES}; make env smaller`,
    );
  }
  return request;
}

/** Bounds of the nursery's own root: it writes next to nothing. */
const NURSERY_TMP_BYTES = 16 * 1024 * 1024;
const NURSERY_OPEN_FILES = 1024;

export const nurseryRequest = (spec: NurserySpec, joins: readonly string[]): Uint8Array =>
  encode([
    ["op", "nursery"],
    ["id", spec.id],
    ...spec.lower.map((dir): [string, string] => ["lower", dir]),
    ...joins.map((file): [string, string] => ["join", file]),
    ...spec.args.map((arg): [string, string] => ["arg", arg]),
    ...spec.env.map((entry): [string, string] => ["env", entry]),
    ["cwd", "/"],
    ["hostname", "nursery"],
    ["tmp_bytes", NURSERY_TMP_BYTES],
    ["open_files", NURSERY_OPEN_FILES],
    // Its root is root of the host: layers are mounted as they are.
    ["idmap", "off"],
  ]);

export const killRequest = (id: string): Uint8Array =>
  encode([
    ["op", "kill"],
    ["id", id],
  ]);

const encode = (pairs: readonly (readonly [string, string | number])[]): Uint8Array =>
  Buffer.from(pairs.map(([key, value]) => `${key}\0${value}\0`).join(""));
