import { rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";

/**
 * One supervisor per home. The lock is a listening Unix socket: it is alive exactly as long as its process, so that a crash leaves
 * no lock behind and a recycled pid cannot pretend to hold one.
 */
export async function lockHome(path: string): Promise<{ release(): void }> {
  if (await someoneListens(path))
    throw new Error(`another Mayfly runs on this home already (${path} answers); stop it, or set MAYFLY_HOME`);
  rmSync(path, { force: true });
  const server = await listen(path);
  return {
    release: () => {
      server.close();
      rmSync(path, { force: true });
    },
  };
}

function someoneListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}
