import { Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { getSystemErrorName } from "node:util";
import { explain, ImageError } from "../error.ts";
import { type Program, startProgram } from "./program.ts";

const REFUSED = "0";

/** One run of layer-tree (native/main.c). It is killed when it is closed before it ended by itself. */
export class TreeProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly #program: Program | null = null;
  readonly #tried: string;
  readonly #ended: Promise<ImageError | null>;
  #killed: ImageError | null = null;

  /** `tried`: for the message when it fails. */
  constructor(program: string, args: readonly string[], tried: string) {
    this.#tried = tried;
    try {
      this.#program = startProgram(program, args);
      this.#ended = this.#end(this.#program);
    } catch (error) {
      const message = `${tried}: layer-tree cannot be started: ${(error as Error).message}`;
      this.#ended = Promise.resolve(new ImageError("io", message, error));
    }
    this.stdin = this.#program?.stdin ?? new Writable().destroy();
    this.stdout = this.#program?.stdout ?? Readable.from([]);
    this.stdin.on("error", () => {}); // It has ended: it says why.
  }

  /** What it failed with, or null, once it has ended. Never rejects. */
  get ended(): Promise<ImageError | null> {
    return this.#ended;
  }

  kill(why: ImageError): void {
    this.#killed ??= why;
    this.#program?.kill();
  }

  async #end(program: Program): Promise<ImageError | null> {
    const said = buffer(program.stderr).catch(() => Buffer.alloc(0));
    const how = await program.ended;
    if (this.#killed) return this.#killed;
    if (how === 0) return null;
    const [errno, what, path] = (await said).toString().split("\0");
    if (what === undefined) return new ImageError("io", `${this.#tried}: layer-tree ended by ${how}`);
    return this.#failure(errno!, what, path ?? "");
  }

  #failure(errno: string, what: string, path: string): ImageError {
    const where = path === "" ? "" : ` (${JSON.stringify(path)})`;
    if (errno === REFUSED) return new ImageError("refused", `${this.#tried}: ${what}${where}`);
    const code = getSystemErrorName(-Number(errno));
    return explain(this.#tried, Object.assign(new Error(`${what}${where}: ${code}`), { code }));
  }
}
