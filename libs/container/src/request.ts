import { BadBoxSpec, type BoxSpec } from "./spec.ts";

/** REQUEST_MAX_BYTES of native/request.h: the launcher's buffer. */
const MAX_BYTES = 192 * 1024;

/**
 * The launcher's request format: key NUL value NUL, repeated (native/request.h).
 * @throws BadBoxSpec when the spec is too long for it
 */
export function startRequest(spec: BoxSpec, slot: number, joins: readonly string[]): Uint8Array {
  const pairs: [string, string | number][] = [
    ["op", "start"],
    ["id", spec.id],
    ["slot", slot],
    ...spec.rootfs.lower.map((dir): [string, string] => ["lower", dir]),
    ...spec.binds.flatMap((bind): [string, string][] => [
      ["bind_source", bind.source],
      ["bind_target", bind.target],
      ["bind_readonly", bind.readonly ? "yes" : "no"],
    ]),
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

export const killRequest = (id: string): Uint8Array =>
  encode([
    ["op", "kill"],
    ["id", id],
  ]);

const encode = (pairs: readonly (readonly [string, string | number])[]): Uint8Array =>
  Buffer.from(pairs.map(([key, value]) => `${key}\0${value}\0`).join(""));
