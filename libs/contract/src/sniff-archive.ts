/** The archive that begins with these bytes, 262 of them at least when there are as many; null: it is none. */
export function sniffArchive(first: Buffer): "zip" | "tar.gz" | "tar" | null {
  if (first.subarray(0, 4).equals(Buffer.from("PK\x03\x04", "latin1"))) return "zip";
  if (first[0] === 0x1f && first[1] === 0x8b) return "tar.gz";
  if (first.subarray(257, 262).toString("latin1") === "ustar") return "tar";
  return null;
}
