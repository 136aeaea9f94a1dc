import type { Socket } from "node:net";
import type { Readable } from "node:stream";

/** native/terminal.h */
const PART_BYTES = 4096;
const INPUT = 0;
const SIZE = 1;

/** The terminal of a box's program, seen from the other side: what it shows, what is typed, how large it is. */
export class Terminal {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get output(): Readable {
    return this.#socket;
  }

  /** Resolves when there is room for more, or the box is over. */
  async type(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; at += PART_BYTES) {
      if (!this.#socket.writable) return;
      if (!this.#send(INPUT, bytes.subarray(at, at + PART_BYTES)))
        await new Promise<void>((resolve) => {
          const done = () => {
            for (const event of ["drain", "close"]) this.#socket.off(event, done);
            resolve();
          };
          for (const event of ["drain", "close"]) this.#socket.on(event, done);
        });
    }
  }

  /** In characters, 1 to 65535. */
  resize({ rows, columns }: { readonly rows: number; readonly columns: number }): void {
    const size = Buffer.alloc(4);
    size.writeUInt16LE(rows, 0);
    size.writeUInt16LE(columns, 2);
    if (this.#socket.writable) this.#send(SIZE, size);
  }

  #send(kind: number, bytes: Uint8Array): boolean {
    const head = Buffer.from([kind, bytes.byteLength & 0xff, bytes.byteLength >> 8]);
    return this.#socket.write(Buffer.concat([head, bytes]));
  }
}
