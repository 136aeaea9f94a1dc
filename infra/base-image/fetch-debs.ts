import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { download, type Wanted } from "./apt.ts";
import { digestOfFile } from "./file-digest.ts";

/** What `debs.json` beside the packages says: which were asked for, and what came. */
interface Fetched {
  readonly packages: readonly string[];
  readonly files: readonly Wanted[];
}

/**
 * The .deb files of an image, fetched by apt from the machine's own sources and verified against its signed lists. The second
 * time they come out of `cacheDir/debs`, without network; remove that folder to get newer ones.
 * @returns paths. @throws Error saying what apt said and what to do.
 */
export async function fetchDebs({
  wanted,
  cacheDir,
  onProgress,
}: {
  /** Names of packages, with what needs them. */
  readonly wanted: Readonly<Record<string, string>>;
  readonly cacheDir: string;
  readonly onProgress: (line: string) => void;
}): Promise<string[]> {
  const packages = Object.keys(wanted);
  const dir = join(cacheDir, "debs");
  const kept = await readKept(dir, packages);
  if (kept) return kept;
  await mkdir(cacheDir, { recursive: true });
  const temp = await mkdtemp(join(cacheDir, "debs.part-"));
  try {
    onProgress(`fetching ${packages.length} Debian packages: ${packages.join(", ")}`);
    const files = await download(packages, temp, onProgress);
    await writeFile(join(temp, "debs.json"), JSON.stringify({ packages, files } satisfies Fetched, null, 2));
    await rm(dir, { recursive: true, force: true });
    await rename(temp, dir);
    return files.map(({ file }) => join(dir, file));
  } catch (error) {
    await rm(temp, { recursive: true, force: true });
    throw error;
  }
}

/** Null unless everything is there and is what was fetched. */
async function readKept(dir: string, packages: readonly string[]): Promise<string[] | null> {
  try {
    const fetched = JSON.parse(await readFile(join(dir, "debs.json"), "utf8")) as Fetched;
    if (fetched.packages.join() !== packages.join()) return null;
    for (const { file, sha256 } of fetched.files) if ((await digestOfFile(join(dir, file))) !== sha256) return null;
    return fetched.files.map(({ file }) => join(dir, file));
  } catch {
    return null; // Whatever is wrong with a cache, fetching again mends it.
  }
}
