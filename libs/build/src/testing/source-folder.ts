import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildFault } from "@mayfly/contract";
import { bundle } from "../box/bundle.ts";
import { Failure } from "../box/failure.ts";
import { Folder } from "../box/folder.ts";

export type Files = Readonly<Record<string, string | object>>;

/** A project's folder with secrets beside it, for tests of the bundler. */
export class SourceFolder {
  readonly dir = mkdtempSync(join(tmpdir(), "mayfly-bundle-"));
  readonly project = join(this.dir, "src");

  constructor() {
    writeFileSync(join(this.dir, "secret.txt"), "SECRET");
    writeFileSync(join(this.dir, "secret.json"), '{"x": SECRET}');
    writeFileSync(join(this.dir, "secret.js"), "export default 'SECRET';");
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  async make(files: Files, entry = "index.ts") {
    const folder = new Folder(this.project, 0);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.project, path)), { recursive: true });
      writeFileSync(join(this.project, path), typeof content === "string" ? content : JSON.stringify(content));
    }
    return bundle(this.project, entry, folder);
  }

  /** What the bundle's module exports when Node loads it from elsewhere. */
  async load(files: Files, entry?: string) {
    const built = await this.make(files, entry);
    const out = mkdtempSync(join(this.dir, "out-"));
    for (const { path, content } of built.files) writeFileSync(join(out, path), content);
    return import(pathToFileURL(join(out, "index.mjs")).href);
  }

  /** How bundling failed. @throws when it did not, or when the failure shows what lies beside the project */
  async fault(files: Files, entry?: string): Promise<BuildFault> {
    const error = await this.make(files, entry).then(
      () => null,
      (error: unknown) => error,
    );
    if (!(error instanceof Failure)) throw new Error("it did not fail as a build does", { cause: error });
    if (JSON.stringify(error.fault).includes("SECRET")) throw new Error("the failure shows a secret");
    return error.fault;
  }
}
