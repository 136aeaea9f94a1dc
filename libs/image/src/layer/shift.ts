import { type LayerEntry, refused } from "./entry.ts";
import { isLeftOut, type Xattrs } from "./xattr.ts";

/** How many ids a box has. */
const RANGE = 65_536;

/**
 * An entry as a box sees it, of one that the host sees: ids of the box's range, which begins at `base` on the host, begin at 0; capabilities
 * and ACLs name ids too. What no layer holds of attributes is left out. @throws ImageError `refused` for an owner outside of the range
 */
export function asInBox(entry: LayerEntry, base: number): LayerEntry {
  if (entry.type === "whiteout" || entry.type === "opaque") return entry;
  const { xattrs, ...rest } = entry;
  const kept = xattrsInBox(xattrs ?? new Map(), base, entry.path);
  return {
    ...rest,
    uid: shifted(entry.uid, base, entry.path),
    gid: shifted(entry.gid, base, entry.path),
    ...(kept.size > 0 && { xattrs: kept }),
  };
}

/** The same of one that is a box's or its image's: ids that no box has are as they are. */
export function asInBoxOrImage(entry: LayerEntry, base: number): LayerEntry {
  return "uid" in entry && entry.uid >= base && base > 0 ? asInBox(entry, base) : entry;
}

function shifted(id: number, base: number, path: string): number {
  if (base === 0) return id;
  if (id < base || id >= base + RANGE) throw refused(path, `its owner ${id} is none of the box's, ${base} and up`);
  return id - base;
}

function xattrsInBox(xattrs: Xattrs, base: number, path: string): Xattrs {
  const kept = new Map<string, Uint8Array>();
  for (const [name, value] of xattrs) {
    if (isLeftOut(name) || /^user\.overlay(\.|$)/.test(name)) continue;
    if (name === "security.capability") kept.set(name, capabilityInBox(Buffer.from(value), base));
    else if (name.startsWith("system.posix_acl_")) kept.set(name, aclInBox(Buffer.from(value), base, path));
    else kept.set(name, value);
  }
  return kept;
}

const CAPABILITY_REVISION = 0xff000000;
const REVISION_2 = 0x02000000;
const REVISION_3 = 0x03000000;
const REVISION_3_BYTES = 24;

/** What root of a user namespace gives a file carries that root's id on the host (capabilities(7), "File capability extended attribute versioning"). */
function capabilityInBox(value: Buffer, base: number): Buffer {
  if (base === 0 || value.byteLength !== REVISION_3_BYTES) return value;
  const magic = value.readUInt32LE(0);
  if ((magic & CAPABILITY_REVISION) >>> 0 !== REVISION_3 || value.readUInt32LE(20) !== base) return value;
  const bare = Buffer.from(value.subarray(0, 20));
  bare.writeUInt32LE(((magic & ~CAPABILITY_REVISION) | REVISION_2) >>> 0, 0);
  return bare;
}

/** linux/posix_acl_xattr.h: a version, then tag, permissions and id of each entry. */
const ACL_HEAD_BYTES = 4;
const ACL_ENTRY_BYTES = 8;
const ACL_USER = 2;
const ACL_GROUP = 8;

function aclInBox(value: Buffer, base: number, path: string): Buffer {
  const acl = Buffer.from(value);
  for (let at = ACL_HEAD_BYTES; at + ACL_ENTRY_BYTES <= acl.byteLength; at += ACL_ENTRY_BYTES) {
    const tag = acl.readUInt16LE(at);
    if (tag === ACL_USER || tag === ACL_GROUP) acl.writeUInt32LE(shifted(acl.readUInt32LE(at + 4), base, path), at + 4);
  }
  return acl;
}
