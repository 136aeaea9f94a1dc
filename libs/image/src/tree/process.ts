import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { getSystemErrorName } from "node:util";
import { explain, ImageError } from "../error.ts";

const REFUSED = "0";

/** One run of layer-tree (native/main.c). It is killed when it is closed before it ended by itself. */
export class TreeProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly #child: ChildProcess;
  readonly #tried: string;
  readonly #ended: Promise<ImageError | null>;
  #killed: ImageError | null = null;

  /** `tried`: for the message when it fails. */
  constructor(program: string, args: readonly string[], tried: string) {
    this.#tried = tried;
    // No environment: the program looks at none.
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: {} });
    this.stdin = this.#child.stdin!;
    this.stdout = this.#child.stdout!;
    this.stdin.on("error", () => {}); // It has ended: it says why.
    this.#ended = this.#end();
  }

  /** What it failed with, or null, once it has ended. Never rejects. */
  get ended(): Promise<ImageError | null> {
    return this.#ended;
  }

  kill(why: ImageError): void {
    this.#killed ??= why;
    this.#child.kill("SIGKILL");
  }

  async #end(): Promise<ImageError | null> {
    const said = buffer(this.#child.stderr!).catch(() => Buffer.alloc(0));
    const [code, signal] = await new Promise<[number | null, string | null] | [Error]>((resolve) => {
      this.#child.once("error", (error) => resolve([error]));
      this.#child.once("exit", (status, signalName) => resolve([status, signalName]));
    });
    if (code instanceof Error) {
      return new ImageError("io", `${this.#tried}: layer-tree cannot be started: ${code.message}`, code);
    }
    if (this.#killed) return this.#killed;
    if (code === 0) return null;
    const [errno, what, path] = (await said).toString().split("\0");
    if (what === undefined) return new ImageError("io", `${this.#tried}: layer-tree ended by ${signal ?? code}`);
    return this.#failure(errno!, what, path ?? "");
  }

  #failure(errno: string, what: string, path: string): ImageError {
    const where = path === "" ? "" : ` (${JSON.stringify(path)})`;
    if (errno === REFUSED) return new ImageError("refused", `${this.#tried}: ${what}${where}`);
    const code = getSystemErrorName(-Number(errno));
    return explain(this.#tried, Object.assign(new Error(`${what}${where}: ${code}`), { code }));
  }
}
