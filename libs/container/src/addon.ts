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
  /** Listens on a port of 127.0.0.1 of a network namespace; the socket's descriptor. */
  listenIn(netns: number, port: number): number;
  /** A network namespace with loopback alone, by its descriptor. Made off the event loop, as `wireNamespace` is. */
  makeNamespace(): Promise<number>;
  /**
   * native/wiring.c: a network namespace with loopback and `eth0`, whose other end is `port` of the bridge; its descriptor. Work of a few
   * milliseconds, off the event loop. @throws code EEXIST when there is such a port, ENODEV when there is no such bridge
   */
  wireNamespace(
    bridge: string,
    port: string,
    mac: string,
    address: string,
    gateway: string,
    mtu: number,
    ...ipv6: readonly string[]
  ): Promise<number>;
  /** Bytes that the host's end of a pair has [received, sent]; null when there is none. */
  portBytes(port: string): Promise<[number, number] | null>;
}

export const loadAddon = (path: string): Addon => createRequire(import.meta.url)(path) as Addon;
