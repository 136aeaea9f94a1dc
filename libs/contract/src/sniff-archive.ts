/** The archive that begins with these bytes, 262 of them at least when there are as many; null: it is none. */
export function sniffArchive(first: Buffer): "zip" | "tar.gz" | "tar" | null {
  if (first.subarray(0, 4).equals(Buffer.from("PK\x03\x04", "latin1"))) return "zip";
  if (first[0] === 0x1f && first[1] === 0x8b) return "tar.gz";
  if (first.subarray(257, 262).toString("latin1") === "ustar") return "tar";
  return null;
}

/** Beginnings of what is packed in ways that nobody here reads. */
const PACKED = [
  ["xz", "\xfd7zXZ\0"],
  ["bzip2", "BZh"],
  ["zstd", "\x28\xb5\x2f\xfd"],
] as const;

/** Why bytes that begin like this are no source at all, as the end of a sentence; null: they may be one. */
export function whyNoSource(first: Buffer): string | null {
  const packed = PACKED.find(([, magic]) => first.toString("latin1").startsWith(magic));
  if (packed) return `compressed with ${packed[0]}: of archives, tar, tar.gz and zip are read`;
  return first.includes(0) ? "neither text nor a tar, tar.gz or zip" : null;
}
