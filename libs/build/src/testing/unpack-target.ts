import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildFault, SourceKind } from "@mayfly/contract";
import { Failure } from "../box/failure.ts";
import { Folder, UNPACK_LIMITS } from "../box/folder.ts";
import { unpack } from "../box/unpack.ts";
import type { Entry } from "./archives.ts";

export type Tar = readonly (readonly [string, Entry])[];

/** A folder to unpack into, with neighbours that must not change: one of them has a name that begins with the folder's. */
export class UnpackTarget {
  readonly dir = mkdtempSync(join(tmpdir(), "mayfly-unpack-"));
  readonly root = join(this.dir, "src");
  limits: typeof UNPACK_LIMITS = UNPACK_LIMITS;

  constructor() {
    writeFileSync(join(this.dir, "canary"), "alive");
    mkdirSync(join(this.dir, "src-evil"));
    writeFileSync(join(this.dir, "src-evil", "canary"), "alive");
  }

  async take(kind: SourceKind, bytes: Buffer, file_name = "index.ts"): Promise<void> {
    writeFileSync(join(this.dir, "upload"), bytes);
    const folder = new Folder(this.root, bytes.byteLength, this.limits);
    await unpack(join(this.dir, "upload"), { kind, file_name, entry: null, dir: null, installed: true }, folder);
  }

  /** How unpacking was refused. @throws when it was not */
  async refusal(kind: SourceKind, bytes: Buffer, file_name?: string): Promise<BuildFault> {
    const error = await this.take(kind, bytes, file_name).then(
      () => null,
      (error: unknown) => error,
    );
    if (error instanceof Failure) return error.fault;
    throw new Error("it was not refused as a build is", { cause: error });
  }

  /** What is beside the folder, in words: the same whatever was unpacked. */
  neighbours(): string {
    const names = (dir: string) => readdirSync(dir).filter((name) => name !== "src" && name !== "upload");
    const canaries = ["canary", "src-evil/canary"].map((path) => readFileSync(join(this.dir, path), "utf8"));
    return [...names(this.dir).sort(), ...names(join(this.dir, "src-evil")), ...canaries].join(" ");
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
