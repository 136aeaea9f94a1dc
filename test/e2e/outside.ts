/**
 * A server of the outside world, for tests, in a network namespace that it is started in: repositories below the folder that is its first
 * argument, as git serves them; files below it; `/to?<address>` leads there. Listens on the ports that follow, on every address it has.
 */
import { once } from "node:events";
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { serveGit } from "../../libs/build/src/testing/git-server.ts";

const [root, ...ports] = process.argv.slice(2);
const servers = ports.map((port) =>
  createServer((request, response) => {
    const { pathname, search } = new URL(request.url!, "http://host");
    const file = join(root!, pathname);
    if (pathname === "/to") response.writeHead(302, { location: decodeURIComponent(search.slice(1)) }).end();
    else if (/\.git(\/|$)/.test(pathname)) serveGit(root!, request, response);
    else if (existsSync(file)) createReadStream(file).pipe(response);
    else response.writeHead(404).end();
  }).listen(Number(port), "::"),
);
await Promise.all(servers.map((server) => once(server, "listening")));
process.stdout.write("ready\n");
