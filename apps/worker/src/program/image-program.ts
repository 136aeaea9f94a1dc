import { accountOf } from "@mayfly/build";
import type { Digest } from "@mayfly/contract";
import { type ImageStore, readFileOf } from "@mayfly/image";
import type { Roots } from "../images/roots.ts";

/** What an image says of how it runs (OCI image spec, config). */
export interface ImageProgram {
  /** ENTRYPOINT and CMD; empty when it names none. */
  readonly args: readonly string[];
  /** What a Lambda runtime is told to call: the first word of CMD. */
  readonly handler: string;
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  readonly home: string;
}

const LARGEST_ACCOUNT_FILE_BYTES = 1024 * 1024;

/** Read once for each image: a call must not wait for the disk. */
export class ImagePrograms {
  readonly #store: Pick<ImageStore, "image">;
  readonly #roots: Pick<Roots, "of">;
  readonly #known = new Map<Digest, Promise<ImageProgram>>();

  constructor(store: Pick<ImageStore, "image">, roots: Pick<Roots, "of">) {
    this.#store = store;
    this.#roots = roots;
  }

  /** @throws Error when USER names somebody whom the image does not know */
  of(image: Digest): Promise<ImageProgram> {
    let program = this.#known.get(image);
    if (!program) {
      program = this.#read(image);
      program.catch(() => this.#known.delete(image));
      this.#known.set(image, program);
    }
    return program;
  }

  async #read(image: Digest): Promise<ImageProgram> {
    const [{ config }, rootfs] = await Promise.all([this.#store.image(image), this.#roots.of(image)]);
    const { Entrypoint, Cmd, Env, WorkingDir, User } = config.config;
    const read = (path: string) => readFileOf(rootfs, path, LARGEST_ACCOUNT_FILE_BYTES);
    const { uid, gid, groups, home } = accountOf(User ?? "", {
      passwd: await read("etc/passwd"),
      group: await read("etc/group"),
    });
    return {
      args: [...(Entrypoint ?? []), ...(Cmd ?? [])],
      handler: Cmd?.[0] ?? "",
      env: Env ?? [],
      cwd: WorkingDir || "/",
      user: { uid, gid, groups },
      home,
    };
  }
}
