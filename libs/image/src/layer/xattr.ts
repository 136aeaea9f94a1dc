import { refused, unsupported } from "./entry.ts";

/** Extended attributes (xattr(7)): name → bytes. */
export type Xattrs = ReadonlyMap<string, Uint8Array>;

/** XATTR_NAME_MAX and XATTR_SIZE_MAX (linux/limits.h); how many, and how much together, is ours. */
const LONGEST_NAME_BYTES = 255;
const LONGEST_VALUE_BYTES = 65_536;
const MOST = 128;
const MOST_BYTES = 128 * 1024;

/** They belong to a host and mean nothing on another: umoci and containerd leave them out as well. */
const OF_THE_HOST = new Set(["security.selinux", "security.ima", "security.evm", "system.nfs4_acl"]);

/**
 * What a layer keeps of a file's attributes: `user.*`, capabilities and ACLs. Those of a host are left out, in both directions.
 * What overlayfs itself uses is never taken from a layer (overlayfs.rst: redirects and opaque marks of strangers are dangerous).
 */
export function isLeftOut(name: string): boolean {
  return OF_THE_HOST.has(name);
}

/** @throws ImageError `refused` for overlayfs' own, `unsupported` for what no layer can hold. */
export function checkXattrs(xattrs: Xattrs, path: string): void {
  if (xattrs.size > MOST) throw refused(path, `it has ${xattrs.size} attributes, ${MOST} are the most`);
  let bytes = 0;
  for (const [name, value] of xattrs) {
    if (/^(trusted|user)\.overlay(\.|$)/.test(name)) throw refused(path, `${name} is overlayfs' own`);
    if (!/^(user\..|security\.capability$|system\.posix_acl_(access|default)$)/.test(name)) {
      throw unsupported(path, `it has the attribute ${name}`);
    }
    // A PAX record's key ends at the first "=".
    if (name.includes("=") || name.includes("\0")) throw unsupported(path, `no archive can name its attribute ${name}`);
    if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) throw refused(path, "an attribute's name exceeds 255 bytes");
    if (value.byteLength > LONGEST_VALUE_BYTES) throw refused(path, `its attribute ${name} exceeds 64 KiB`);
    bytes += Buffer.byteLength(name) + value.byteLength;
  }
  if (bytes > MOST_BYTES)
    throw refused(path, `its attributes have ${bytes} bytes together, ${MOST_BYTES} are the most`);
}
