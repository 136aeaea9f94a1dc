import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault, type RootFs } from "@mayfly/contract";
import { lookUp } from "@mayfly/image";

export interface MountPoint {
  /** In the box. */
  readonly target: string;
  readonly kind: "file" | "folder";
  /** A link in its place is hidden by the layer, and not followed. */
  readonly hidesLink?: true;
}

/**
 * A layer between an image and what its box writes, that holds what has to be there for mounts to be laid over it and that the image does
 * not have: it is never part of a commit. @throws Fault bad_setting when a mount would lie behind a link, or on a thing of another kind
 */
export async function makeInitLayer(folder: string, image: RootFs, points: readonly MountPoint[]): Promise<void> {
  await mkdir(folder, { mode: 0o755 });
  await chmod(folder, 0o755);
  for (const point of points) await makePoint(folder, image, point);
}

async function makePoint(folder: string, image: RootFs, { target, kind, hidesLink }: MountPoint): Promise<void> {
  const names = target.split("/").filter((name) => name !== "");
  const found = await Promise.all(names.map((_, at) => lookUp(image, names.slice(0, at + 1).join("/"))));
  const wrong = (at: number, why: string) =>
    new Fault("bad_setting", { detail: `${target}: /${names.slice(0, at + 1).join("/")} ${why}` });
  if (hidesLink && found.at(-1)?.stats.isSymbolicLink()) found[names.length - 1] = null;
  for (const [at, there] of found.entries()) {
    const expected = at < names.length - 1 ? "folder" : kind;
    if (there === null) continue;
    if (there.stats.isSymbolicLink()) throw wrong(at, "is a link in the image; name the place it leads to");
    if (there.stats.isDirectory() !== (expected === "folder")) throw wrong(at, `is no ${expected} in the image`);
  }
  if (found.at(-1)) return;
  for (const [at, there] of found.entries()) {
    const path = join(folder, ...names.slice(0, at + 1));
    const isFile = at === names.length - 1 && kind === "file";
    const isNew = await (isFile ? writeFile(path, "", { flag: "wx" }) : mkdir(path)).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
        return false;
      },
    );
    if (!isNew) continue;
    // Layers over each other show the topmost's owner and mode.
    await chown(path, there?.stats.uid ?? 0, there?.stats.gid ?? 0);
    await chmod(path, there ? there.stats.mode & 0o7777 : isFile ? 0o644 : 0o755);
  }
}
