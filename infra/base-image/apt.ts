import { execFile } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { digestOfFile } from "./file-digest.ts";

/** A package file as apt's lists announce it. */
export interface Wanted {
  readonly file: string;
  readonly sha256: string;
}

const ARCHIVES = "/var/cache/apt/archives";

/**
 * Fetches packages into `dir`, an empty folder, from the machine's package sources; what apt has in its cache is taken from there.
 * Lists that are missing or out of date are updated once.
 */
export async function download(
  packages: readonly string[],
  dir: string,
  onProgress: (line: string) => void,
): Promise<Wanted[]> {
  try {
    return await attempt(packages, dir);
  } catch {
    onProgress("updating the lists of Debian packages");
    await apt(["update"], dir);
    return attempt(packages, dir);
  }
}

async function attempt(packages: readonly string[], dir: string): Promise<Wanted[]> {
  const wanted = parseUris(await apt(["--print-uris", "download", ...packages], dir));
  for (const { file } of wanted) await copyFile(join(ARCHIVES, file), join(dir, file)).catch(() => {}); // Not cached.
  await apt(["download", ...packages], dir);
  for (const { file, sha256 } of wanted) {
    const found = await digestOfFile(join(dir, file));
    if (found !== sha256) throw new Error(`${file} came with SHA-256 ${found}, and apt's lists announce ${sha256}`);
  }
  if (wanted.length === packages.length) return wanted;
  throw new Error(`apt-get named ${wanted.length} files for the ${packages.length} packages ${packages.join(" ")}`);
}

/** `'http://…/x_1%3a2_amd64.deb' x_1%3a2_amd64.deb 1234 SHA256:…`, one line a file; the file's name is what apt gives it on disk. */
export function parseUris(output: string): Wanted[] {
  const line = /^'[^']*' (\S+) \d+ SHA256:([0-9a-f]{64})$/gm;
  return [...output.matchAll(line)].map(([, file, sha256]) => ({ file: file!, sha256: sha256! }));
}

async function apt(args: readonly string[], cwd: string): Promise<string> {
  try {
    // Root's folders are closed to apt's own user, and it would warn about each file.
    const argv = ["--quiet", "--yes", "-o", "APT::Sandbox::User=root", ...args];
    const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
    return (await promisify(execFile)("apt-get", argv, { cwd, env, maxBuffer: 16 * 1024 * 1024 })).stdout;
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr || error).trim();
    throw new Error(
      `apt-get ${args.join(" ")} failed: ${said}\n` +
        "The base image is made of Debian packages: check that this machine is Debian, that it reaches its package sources " +
        "(/etc/apt/sources.list, a proxy in /etc/apt/apt.conf.d), and that `apt-get update` works; then try again.",
      { cause: error },
    );
  }
}
