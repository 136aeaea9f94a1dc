import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { decodeJson, FRAME, Hello } from "@mayfly/contract";
import { FrameChannel } from "./frame-channel.ts";

const HELLO_WITHIN_MS = 5_000;

export interface ChannelListener {
  /** Takes no more connections; those that are open go on. */
  close(): void;
}

/**
 * Listens for data channels on a Unix socket that only our user and root can open. Each connection says who it is before it is handed
 * on; one that does not, is cut.
 */
export async function listenChannel(options: {
  path: string;
  onConnection: (hello: Hello, channel: FrameChannel) => void;
}): Promise<ChannelListener> {
  rmSync(options.path, { force: true });
  const server = createServer(
    { allowHalfOpen: true, pauseOnConnect: false },
    (socket) => void greet(socket, options.onConnection),
  );
  await listening(server, options.path);
  chmodSync(options.path, 0o600);
  return { close: () => server.close() };
}

async function greet(socket: Socket, onConnection: (hello: Hello, channel: FrameChannel) => void): Promise<void> {
  const channel = new FrameChannel(socket);
  const late = setTimeout(() => channel.destroy(), HELLO_WITHIN_MS);
  try {
    for await (const frame of channel.frames) {
      if (frame.type !== FRAME.HELLO) break;
      const hello = Hello.parse(decodeJson(frame));
      clearTimeout(late);
      return onConnection(hello, channel);
    }
    channel.destroy();
  } catch {
    channel.destroy();
  } finally {
    clearTimeout(late);
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}
