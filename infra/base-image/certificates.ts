import type { LayerEntry } from "@mayfly/image";

/** Where ca-certificates keeps one authority per file. */
export const CERTIFICATES = /^usr\/share\/ca-certificates\/.*\.crt$/;

/** What update-ca-certificates makes, in the order of the paths: one file with every authority. Nothing when there are none. */
export function* certificateBundle(certificates: ReadonlyMap<string, Buffer>, mtime_s: number): Generator<LayerEntry> {
  if (certificates.size === 0) return;
  const sorted = [...certificates].sort(([a], [b]) => (a < b ? -1 : 1));
  const bundle = sorted.map(([, pem]) => `${pem.toString("latin1").trimEnd()}\n`).join("");
  const content = Buffer.from(bundle, "latin1");
  const size_bytes = content.byteLength;
  const path = "etc/ssl/certs/ca-certificates.crt";
  yield { path, type: "file", mode: 0o644, uid: 0, gid: 0, mtime_s, size_bytes, content };
}
