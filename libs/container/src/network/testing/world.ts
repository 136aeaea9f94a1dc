/**
 * The outside world of tests, a program in a network namespace of its own: answers HTTP on every address it has, echoes datagrams, and is
 * the resolver of a private network. Starts when its standard input says what addresses it has.
 */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { text } from "node:stream/consumers";
import { serveNames } from "./names.ts";
import { RESOLVER } from "./reach.ts";

const addresses = JSON.parse(await text(process.stdin)) as string[];
for (const address of addresses) {
  const bits = address.includes(":") ? 128 : 32;
  execFileSync("ip", ["addr", "add", `${address}/${bits}`, "dev", "lo", ...(bits === 128 ? ["nodad"] : [])]);
}

const http = createHttpServer(async (request, response) => {
  let received = 0;
  for await (const chunk of request) received += (chunk as Buffer).length;
  const [, size] = /^\/bytes\/(\d+)$/.exec(request.url!) ?? [];
  response.end(
    size === undefined ? JSON.stringify({ from: request.socket.remoteAddress, received }) : Buffer.alloc(Number(size)),
  );
});
http.listen(80, "::");

const echo = createSocket("udp6");
echo.on("message", (message, { address, port }) => echo.send(message, port, address));
echo.bind(9999, "::");

const names = serveNames(RESOLVER);

await Promise.all([http, echo, ...names].map((server) => once(server, "listening")));
process.stdout.write("ready\n");
