import { closeSync, fchownSync } from "node:fs";
import { Socket } from "node:net";
import type { Addon } from "./addon.ts";

/** A box's streams: our ends, and the ends that its program gets as descriptors 1, 2 and, with a channel, 3; or as a terminal. */
export interface Streams {
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly channel: Socket | null;
  readonly stdin: Socket | null;
  /** Speaks what native/terminal.h says. */
  readonly terminal: Socket | null;
  /** To be closed once the launcher has them. */
  readonly theirs: readonly number[];
}

export interface StreamsWanted {
  /** As the host numbers them. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly channel: boolean;
  readonly stdin: boolean;
  readonly terminal: boolean;
}

/**
/**
 * Input and output as pipes (programs reopen /dev/stdin and /dev/stdout, which a socket refuses), output of the box's user, whom the kernel
 * asks when they do; the channel as a socket.
 * @throws with code EMFILE when descriptors run out; nothing stays open then
 */
export function openStreams(addon: Addon, wanted: StreamsWanted): Streams {
  const open: number[] = [];
  const made = (pair: [number, number]) => {
    open.push(...pair);
    return pair;
  };
  try {
    const [outRead, outWrite] = made(addon.pipe());
    const [errRead, errWrite] = made(addon.pipe());
    const ends = wanted.channel ? made(addon.socketPair(false)) : null;
    const terminal = wanted.terminal ? made(addon.socketPair(false)) : null;
    const input = wanted.stdin ? made(addon.pipe()) : null;
    const { uid, gid } = wanted.owner;
    for (const fd of [outWrite, errWrite, ...(input ? [input[0]] : [])]) fchownSync(fd, uid, gid);
    return {
      stdout: quiet(new Socket({ fd: outRead, readable: true, writable: false })),
      stderr: quiet(new Socket({ fd: errRead, readable: true, writable: false })),
      channel: ends && quiet(new Socket({ fd: ends[0], readable: true, writable: true, allowHalfOpen: true })),
      stdin: input && quiet(new Socket({ fd: input[1], readable: false, writable: true })),
      terminal: terminal && quiet(new Socket({ fd: terminal[0], readable: true, writable: true })),
      theirs: [
        outWrite,
        errWrite,
        ...(ends ? [ends[1]] : []),
        ...(terminal ? [terminal[1]] : []),
        ...(input ? [input[0]] : []),
      ],
    };
  } catch (error) {
    for (const fd of open) closeSync(fd);
    throw error;
  }
}

/** A box that dies with bytes unread resets its channel, perhaps before anybody listens: `ended` tells why, this is no second failure. */
function quiet(socket: Socket): Socket {
  return socket.on("error", () => {});
}
