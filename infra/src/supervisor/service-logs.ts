import { closeSync, mkdirSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

const LARGEST_BYTES = 16 * 1024 * 1024;

/** The services' own logs: one file each below the home, begun anew when it is too large; also on stderr when asked. */
export class ServiceLogs {
  readonly #dir: string;
  readonly #verbose: boolean;
  readonly #files = new Map<string, { fd: number; size: number }>();

  constructor(home: string, verbose: boolean) {
    this.#dir = join(home, "log");
    this.#verbose = verbose;
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
  }

  write(service: string, line: string): void {
    if (this.#verbose) process.stderr.write(`${service}  ${line}\n`);
    let file = this.#files.get(service);
    if (!file || file.size > LARGEST_BYTES) {
      if (file) closeSync(file.fd);
      file = open(join(this.#dir, `${service}.log`));
      this.#files.set(service, file);
    }
    file.size += writeSync(file.fd, `${line}\n`);
  }

  close(): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }
}

function open(path: string): { fd: number; size: number } {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return size > LARGEST_BYTES ? { fd: openSync(path, "w", 0o600), size: 0 } : { fd: openSync(path, "a", 0o600), size };
}
