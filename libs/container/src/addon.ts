import { createRequire } from "node:module";

/** native/addon.c: what Node cannot do by itself. Descriptors are plain numbers and belong to the caller. */
export interface Addon {
  /** A pair of connected Unix sockets: SOCK_SEQPACKET when `packets`, else SOCK_STREAM. Close-on-exec. */
  socketPair(packets: boolean): [number, number];
  /** [read end, write end], close-on-exec. */
  pipe(): [number, number];
  /** Sends one message with descriptors beside it. @throws code EAGAIN when the receiver is behind, EPIPE when it is gone */
  send(socket: number, bytes: Uint8Array, descriptors: readonly number[]): void;
  /**
   * A connection to 127.0.0.1 of a network namespace, by a descriptor of it. It does not wait.
   * @throws code ECONNREFUSED when nobody listens, EAGAIN when the listener is behind
   */
  connectIn(netns: number, port: number): number;
}

export const loadAddon = (path: string): Addon => createRequire(import.meta.url)(path) as Addon;
