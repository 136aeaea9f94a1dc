import { createHash, randomUUID } from "node:crypto";
import { chmod, chown, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { sizeOf } from "../disk-use.ts";

type Sharing = "shared" | "private" | "locked";

export interface CacheLease {
  /** Has `u`, which keeps what is written, and `w` beside it. */
  readonly dir: string;
  /** Others may have it now. */
  release(): Promise<void>;
}

interface Use {
  users: number;
  isAlone: boolean;
  readonly waiting: Set<() => void>;
}

/** What is being removed has this before its name. */
const GOING = "gone-";

/**
 * Folders that `RUN --mount=type=cache` writes to and later builds find again, each by what it is called and what it began with. They are
 * of one tenant, part of no layer, and may be taken away whenever nobody uses them.
 */
export class MountCaches {
  readonly #dir: string;
  readonly #uses = new Map<string, Use>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async open(dir: string): Promise<MountCaches> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(dir))
      if (name.startsWith(GOING)) await rm(join(dir, name), { recursive: true, force: true });
    return new MountCaches(dir);
  }

  /**
   * `shared` is had with others, `locked` waits until nobody has it, `private` gets another one when somebody has.
   * @param wanted mode and owner of a new one, as numbers of the box
   * @throws the signal's reason when it fires while it waits
   */
  async lease(
    identity: string,
    wanted: { readonly sharing: Sharing; readonly mode: number; readonly uid: number; readonly gid: number },
    signal: AbortSignal,
  ): Promise<CacheLease> {
    const first = createHash("sha256").update(identity).digest("hex");
    let name = first;
    for (let at = 1; wanted.sharing === "private" && this.#uses.has(name); at++) name = `${first}.${at}`;
    const use = await this.#take(name, wanted.sharing !== "shared", signal);
    const dir = join(this.#dir, name);
    const release = async () => {
      const now = new Date();
      await utimes(dir, now, now).catch(() => {}); // It is only older than it is.
      use.users -= 1;
      use.isAlone = false;
      if (use.users === 0) this.#uses.delete(name);
      for (const wake of use.waiting) wake();
    };
    try {
      if (!(await stat(dir).catch(() => null))) await this.#make(dir, wanted);
      return { dir, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** Removes those that were not used since, then those unused longest until the rest fit. @returns what that freed */
  async prune(options: { readonly unusedSince: Date; readonly mostBytes: number }): Promise<Pruned> {
    const names = (await readdir(this.#dir)).filter((name) => !name.startsWith(GOING) && !this.#uses.has(name));
    const found = await Promise.all(
      names.map(async (name) => ({ name, used: (await stat(join(this.#dir, name))).mtime })),
    );
    const sized: { name: string; used: Date; bytes: number }[] = [];
    for (const one of found) sized.push({ ...one, bytes: await sizeOf(join(this.#dir, one.name)) });
    let total = sized.reduce((sum, { bytes }) => sum + bytes, 0);
    const pruned = { count: 0, freed_bytes: 0 };
    for (const { name, used, bytes } of sized.sort((a, b) => a.used.getTime() - b.used.getTime())) {
      if ((used >= options.unusedSince && total <= options.mostBytes) || this.#uses.has(name)) continue;
      const going = join(this.#dir, `${GOING}${randomUUID()}`);
      await rename(join(this.#dir, name), going);
      await rm(going, { recursive: true, force: true });
      total -= bytes;
      pruned.count += 1;
      pruned.freed_bytes += bytes;
    }
    return pruned;
  }

  async #take(name: string, alone: boolean, signal: AbortSignal): Promise<Use> {
    for (;;) {
      signal.throwIfAborted();
      const use = this.#uses.get(name);
      if (!use) {
        const begun = { users: 1, isAlone: alone, waiting: new Set<() => void>() };
        this.#uses.set(name, begun);
        return begun;
      }
      if (!alone && !use.isAlone) {
        use.users += 1;
        return use;
      }
      await this.#released(use, signal);
    }
  }

  async #released({ waiting }: Use, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  async #make(dir: string, { mode, uid, gid }: { mode: number; uid: number; gid: number }): Promise<void> {
    const making = join(this.#dir, `${GOING}${randomUUID()}`);
    for (const part of ["u", "w"]) await mkdir(join(making, part), { recursive: true, mode: 0o700 });
    await chown(join(making, "u"), uid, gid);
    await chmod(join(making, "u"), mode);
    // Of two that share a new one at once the first makes it.
    await rename(making, dir).catch(async (error: NodeJS.ErrnoException) => {
      await rm(making, { recursive: true, force: true });
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  }
}

export interface Pruned {
  readonly count: number;
  readonly freed_bytes: number;
}
