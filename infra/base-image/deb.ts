import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export interface DebFields {
  readonly name: string;
  readonly version: string;
}

/** @throws Error when dpkg-deb cannot read the file. */
export async function fieldsOf(deb: string): Promise<DebFields> {
  const fields = await text(dpkgDeb(["--field", deb, "Package", "Version"]));
  const [, name, version] = /^Package: (\S+)\nVersion: (\S+)\n$/.exec(fields) ?? [];
  if (!name || !version) throw new Error(`dpkg-deb names neither package nor version of ${deb}; it said: ${fields}`);
  return { name, version };
}

/** The package's files as an uncompressed tar. Fails at its end when dpkg-deb failed. */
export const filesOf = (deb: string): AsyncGenerator<Uint8Array> => dpkgDeb(["--fsys-tarfile", deb]);

async function* dpkgDeb(args: readonly string[]): AsyncGenerator<Uint8Array> {
  const child = spawn("dpkg-deb", args, { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close");
  closed.catch(() => {}); // Awaited below; the reader may leave before.
  const said = text(child.stderr);
  try {
    yield* child.stdout;
    const [code] = await closed;
    if (code !== 0) throw new Error(`dpkg-deb ${args.join(" ")} ended with ${code}: ${(await said).trim()}`);
  } finally {
    child.kill(); // When the reader leaves early; harmless afterwards.
  }
}
