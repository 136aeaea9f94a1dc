/** What a peer's fresh node runs: load the handler, hand it one request, print the answer, end. No server, no warm-up, no protocol. */
import handler from "../app/index.mjs";

const response = await handler(new Request("http://localhost/"));
process.stdout.write(new Uint8Array(await response.arrayBuffer()));
