import { realpath, stat } from "node:fs/promises";
import { type BoxVolume, Fault } from "@mayfly/contract";
import type { MountPoint } from "./init-layer.ts";

/** Made after volumes, and over them. */
const OURS = ["/proc", "/dev"];

/**
 * Where volumes lie on this host, and where they are shown. Whoever has the key may name any folder of the host but Mayfly's own, below or
 * above. @throws Fault bad_setting naming the volume
 */
export async function checkVolumes(volumes: readonly BoxVolume[], home: string): Promise<(BoxVolume & MountPoint)[]> {
  const known = new Set<string>();
  const checked = [];
  for (const { source, target, ...how } of volumes) {
    const wrong = (why: string) => new Fault("bad_setting", { detail: `volume ${source}:${target}: ${why}` });
    const path = target.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
    if (path === "/" || path.split("/").some((name) => name === "." || name === ".."))
      throw wrong("its place in the box is a path without . and .., and not the root");
    if (OURS.some((ours) => isWithin(path, ours))) throw wrong(`${OURS.join(" and ")} are the box's own`);
    if (known.has(path)) throw wrong(`two volumes have the place ${path}`);
    known.add(path);
    const place = await realpath(source).catch((error: NodeJS.ErrnoException) => {
      throw wrong(`${source} on the worker's host: ${error.code}`);
    });
    if (isWithin(place, home) || isWithin(home, place))
      throw wrong(`Mayfly's own folder ${home} cannot be shown in a box`);
    const kind: MountPoint["kind"] = (await stat(place)).isDirectory() ? "folder" : "file";
    checked.push({ ...how, source: place, target: path, kind });
  }
  return checked;
}

const isWithin = (path: string, folder: string): boolean =>
  path === folder || folder === "/" || path.startsWith(`${folder}/`);
