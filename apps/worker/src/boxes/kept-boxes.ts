import { chmod, chown, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BindMount, type BoxVolume, type BoxWanted, type Digest, Fault, newBoxId } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { type MountPoint, makeInitLayer } from "./init-layer.ts";
import { KeptBox, type Listener, type Run } from "./kept-box.ts";
import { stop } from "./lifecycle.ts";
import { badSetting, hostnameOf, planOf } from "./plan.ts";
import { readRecord, type StoredBox, storeRecord } from "./record.ts";
import { checkVolumes } from "./volumes.ts";

/** Each has a range of ids for as long as it is kept, and there are 1024 in all. */
const MOST_BOXES = 400;
/** How long a program may take to end when the worker does. */
const CLOSE_S = 5;
const LOST = { exit_code: 137, ended: "was killed: its worker was lost" };

type Deps = Pick<WorkerDeps, "boxes" | "log" | "store" | "roots" | "inUse">;

/** The boxes that this worker keeps: each in a folder of its own, there again after a restart. */
export class KeptBoxes {
  readonly #folder: string;
  readonly #home: string;
  readonly #deps: Deps;
  readonly #boxes = new Map<string, { readonly box: KeptBox; readonly release: () => void }>();

  /** Takes up what a predecessor kept; boxes that it ran have ended with it. */
  static async open(home: string, deps: Deps): Promise<KeptBoxes> {
    const kept = new KeptBoxes(home, deps);
    await mkdir(kept.#folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(kept.#folder)) {
      const folder = join(kept.#folder, name);
      try {
        const record = readRecord(folder);
        deps.boxes.reserveIds(record.id_base);
        const box = kept.#keep(new KeptBox(folder, record, deps), record.image);
        if (record.status === "running") box.store({ status: "exited", ended_at: new Date().toISOString(), ...LOST });
      } catch (error) {
        // Half made, or half removed: nobody was told that it is there, or it was told to go.
        if ((error as NodeJS.ErrnoException).code === "ENOENT") await rm(folder, { recursive: true, force: true });
        else deps.log.error({ err: error, folder }, "a kept box cannot be taken up; its folder stays as it is");
      }
    }
    return kept;
  }

  private constructor(home: string, deps: Deps) {
    this.#home = home;
    this.#folder = join(home, "kept");
    this.#deps = deps;
  }

  /** The latest last. */
  all(): KeptBox[] {
    return [...this.#boxes.values()].map(({ box }) => box).sort((a, b) => (a.record.id < b.record.id ? -1 : 1));
  }

  /** By its name, its id, or how that begins, with or without `box_`. @throws Fault not_found, conflict */
  find(which: string): KeptBox {
    const exact = this.all().find(({ record }) => record.id === which || record.wanted.name === which);
    if (exact) return exact;
    const begin = which.startsWith("box_") ? which : `box_${which}`;
    const fitting = begin.length > "box_".length ? this.all().filter(({ record }) => record.id.startsWith(begin)) : [];
    if (fitting.length === 1) return fitting[0]!;
    if (fitting.length === 0) throw new Fault("not_found", { detail: `there is no box ${which}` });
    throw new Fault("conflict", { detail: `${which} is the beginning of ${fitting.length} boxes' ids` });
  }

  /** Makes a box that does not run yet. @throws Fault, ImageError; nothing is left then */
  async create(wanted: BoxWanted, image: Digest): Promise<KeptBox> {
    const release = this.#deps.inUse.hold(image);
    let idBase: number | null = null;
    const id = newBoxId(Date.now());
    const folder = join(this.#folder, id);
    try {
      this.#requireRoom(wanted);
      const rootfs = await this.#deps.roots.of(image);
      const plan = await planOf(wanted, image, rootfs, this.#deps);
      const volumes = await checkVolumes(wanted.volumes, this.#home);
      idBase = this.#deps.boxes.reserveIds(null);
      await mkdir(join(folder, "disk", "u"), { recursive: true, mode: 0o755 });
      await chmod(join(folder, "disk", "u"), 0o755);
      await chown(join(folder, "disk", "u"), idBase, idBase);
      const record: StoredBox = {
        ...{ id, wanted, image, ...plan, id_base: idBase, created_at: new Date().toISOString(), status: "created" },
        ...{ started_at: null, ended_at: null, exit_code: null, ended: null, usage: null },
      };
      await makeInitLayer(join(folder, "init"), rootfs, [
        ...ALWAYS,
        ...ownFiles(wanted),
        { target: plan.cwd, kind: "folder" },
        ...volumes,
      ]);
      await writeOwnFiles(folder, record);
      this.#requireRoom(wanted); // Somebody may have taken the name meanwhile.
      storeRecord(folder, record);
      return this.#keep(new KeptBox(folder, record, this.#deps), image);
    } catch (error) {
      if (idBase !== null) this.#deps.boxes.releaseIds(idBase);
      await rm(folder, { recursive: true, force: true });
      throw error;
    } finally {
      release();
    }
  }

  async start(box: KeptBox, listener: Listener | null = null): Promise<Run> {
    const { image, wanted } = box.record;
    const { lower } = await this.#deps.roots.of(image);
    const volumes = await checkVolumes(wanted.volumes, this.#home);
    const own: BindMount[] = OWN_FILES.map((name) => ({
      ...{
        kind: "bind",
        source: join(box.folder, name),
        target: `/etc/${name}`,
        make: false,
        readonly: false,
        ids: "host",
      },
    }));
    const rootfs = { lower: [join(box.folder, "init"), ...lower] };
    const run = await box.start({ rootfs, besides: [...own, ...volumes.map(shown)] }, listener);
    if (wanted.remove) void run.over.then(() => this.remove(box)).catch((error) => this.#deps.log.warn({ err: error }));
    return run;
  }

  /** The counters that a killed worker's box had come to. */
  lost(id: string, usage: StoredBox["usage"]): void {
    const kept = this.#boxes.get(id);
    if (kept?.box.record.usage === null) kept.box.store({ usage });
  }

  /** @throws Fault conflict when it runs */
  async remove(box: KeptBox): Promise<void> {
    await box.exclusively(async () => {
      const kept = this.#boxes.get(box.record.id);
      if (!kept) return;
      if (box.run) throw new Fault("conflict", { detail: `${box.record.id} runs; stop it first, or force it` });
      this.#boxes.delete(box.record.id);
      box.log.close();
      // From here on it is half a box, for whoever starts next as well.
      await rename(join(box.folder, "box.json"), join(box.folder, "removed.json"));
      await rm(box.folder, { recursive: true, force: true });
      this.#deps.boxes.releaseIds(box.record.id_base);
      kept.release();
    });
  }

  /** Those that run are asked to end, and ended. */
  async close(): Promise<void> {
    await Promise.all(this.all().map((box) => stop(box, CLOSE_S)));
  }

  #requireRoom({ name }: BoxWanted): void {
    if (name !== null && this.all().some(({ record }) => record.wanted.name === name))
      throw new Fault("conflict", { detail: `there is a box ${name} already; remove it, or choose another name` });
    if (this.#boxes.size >= MOST_BOXES)
      throw badSetting(`${MOST_BOXES} boxes are kept, and there cannot be more; remove some`);
  }

  #keep(box: KeptBox, image: Digest): KeptBox {
    this.#boxes.set(box.record.id, { box, release: this.#deps.inUse.hold(image) });
    return box;
  }
}

/** Where every box has mounts of ours. */
const ALWAYS = [
  { target: "/proc", kind: "folder" },
  { target: "/dev", kind: "folder" },
] as const;

/** Files of /etc that are each box's own, and no part of a commit. */
const OWN_FILES = ["hostname", "hosts"] as const;

/** libs/container lays resolv.conf over the image's for a box that has a network. */
const ownFiles = ({ network }: BoxWanted): MountPoint[] =>
  [...OWN_FILES, ...(network === "none" ? [] : ["resolv.conf"])].map((name) => ({
    ...{ target: `/etc/${name}`, kind: "file", hidesLink: true },
  }));

const shown = ({ source, target, readonly, ids }: BoxVolume): BindMount => ({
  ...{ kind: "bind", source, target, make: false, readonly, ids },
});

async function writeOwnFiles(folder: string, record: StoredBox): Promise<void> {
  const name = hostnameOf(record);
  const texts = {
    hostname: `${name}\n`,
    hosts: `127.0.0.1\tlocalhost ${name}\n::1\tlocalhost ip6-localhost ip6-loopback\n`,
  };
  for (const file of OWN_FILES) {
    await writeFile(join(folder, file), texts[file], { mode: 0o644 });
    await chown(join(folder, file), record.id_base, record.id_base);
  }
}
