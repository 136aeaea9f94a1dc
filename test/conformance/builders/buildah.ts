import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BASE_CMD, BASE_ENV, type Base } from "./bases.ts";
import { type Builder, type Built, type BuiltImage, type Order, optionsOf } from "./builder.ts";
import { must, ran } from "./program.ts";

/** `vfs` has each image as one folder, which can be read; `overlay` is faster. With layers every step is kept for the next build. */
export interface How {
  readonly driver: "vfs" | "overlay";
  readonly layers: boolean;
}

/** buildah with everything it has in a folder of its own. Nothing of it goes on between builds. */
export class Buildah implements Builder {
  readonly name = "buildah";
  readonly #dir: string;

  readonly #how: How;

  private constructor(dir: string, how: How) {
    this.#dir = dir;
    this.#how = how;
  }

  static async start(dir: string, bases: readonly Base[], how: How): Promise<Buildah> {
    mkdirSync(join(dir, "tmp"), { recursive: true });
    writeFileSync(join(dir, "policy.json"), JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
    writeFileSync(join(dir, "registries.conf"), "unqualified-search-registries = []\n");
    const buildah = new Buildah(dir, how);
    for (const { name, tar, tags = [] } of bases) {
      const container = (await buildah.#must("from", "scratch")).trim();
      await buildah.#must("add", "-q", container, tar, "/");
      const config = ["--env", BASE_ENV, "--cmd", JSON.stringify(BASE_CMD)];
      await buildah.#must("config", ...config, container);
      await buildah.#must("commit", "-q", ...buildah.#policy, "--rm", container, `${name}:latest`);
      for (const tag of tags) await buildah.#must("tag", `${name}:latest`, tag);
    }
    return buildah;
  }

  async build(order: Order): Promise<Built> {
    const options = [
      ...[
        "-q",
        `--layers=${this.#how.layers}`,
        "--format=docker",
        "--isolation=chroot",
        "--network=host",
        "--pull-never",
        ...this.#policy,
      ],
      ...optionsOf(order),
    ];
    const { code, stdout, said } = await ran("buildah", [...this.#store, "build", ...options, order.dir], {
      // Where it keeps caches of RUN --mount.
      TMPDIR: join(this.#dir, "tmp"),
    });
    if (code !== 0) return { refused: said.trim().slice(-500) };
    return { image: stdout.trim().split("\n").at(-1)! };
  }

  /** By its store's own files, which vfs lays out so. */
  async image(name: string): Promise<BuiltImage> {
    const { FromImageID, Docker } = JSON.parse(await this.#must("inspect", "--type", "image", name));
    const images = JSON.parse(readFileSync(join(this.#dir, "root/vfs-images/images.json"), "utf8"));
    const { layer } = images.find(({ id }: { id: string }) => id === FromImageID);
    return { lower: layer ? [join(this.#dir, "root/vfs/dir", layer)] : [], document: Docker };
  }

  get #store(): string[] {
    const at = (name: string) => join(this.#dir, name);
    return [
      "--root",
      at("root"),
      "--runroot",
      at("run"),
      `--storage-driver=${this.#how.driver}`,
      "--registries-conf",
      at("registries.conf"),
    ];
  }

  get #policy(): string[] {
    return ["--signature-policy", join(this.#dir, "policy.json")];
  }

  #must(...args: string[]): Promise<string> {
    return must("buildah", [...this.#store, ...args]);
  }
}
