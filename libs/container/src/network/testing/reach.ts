import type { Inside } from "./driver.ts";

export const PUBLIC = ["203.0.113.10", "2606:4700::10"] as const;
/** One address at least of every network that a box may not reach and that can be listened on. */
export const PRIVATE = [
  "0.1.2.3",
  "10.9.9.9",
  "100.64.1.1",
  "100.100.100.200",
  "168.63.129.16",
  "169.254.169.254",
  "172.16.5.5",
  "172.31.255.1",
  "192.0.0.192",
  "192.168.7.7",
  "198.19.255.1",
  "240.1.1.1",
  "64:ff9b::a09:909",
  "64:ff9b:1::a09:909",
  "100::7",
  "2001:0:a09:909::7",
  "2002:a09:909::1",
  "fc00::7",
  "fd00:ec2::254",
  "fec0::7",
  "::a09:909",
] as const;
/** A resolver of the world's, in a private network. */
export const RESOLVER = "10.53.53.53";

/** `reached`; the error's code: somebody answered; `nothing`: nobody did. */
export type Tried = [address: string, what: string];

/** For a driver: tries to connect to each address from a box with a network. */
export async function reach({ boxes }: Inside, targets: readonly (readonly [string, number])[]): Promise<Tried[]> {
  const script = `
    const net = require("node:net");
    const one = ([host, port]) => new Promise((resolve) => {
      const socket = net.connect({ host, port });
      const end = (what) => { clearTimeout(late); socket.destroy(); resolve([host, what]); };
      const late = setTimeout(end, 8000, "nothing");
      socket.on("connect", () => end("reached")).on("error", (error) => end(error.code));
    });
    Promise.all(${JSON.stringify(targets)}.map(one)).then((all) => console.log(JSON.stringify(all)));`;
  const { stdout, stderr, ending } = await boxes.run(boxes.node(script, { network: "egress" }));
  if (ending.kind !== "exit") throw new Error(`${JSON.stringify(ending)} ${stderr}`);
  return JSON.parse(stdout);
}

/** For a driver: what a piece of JavaScript prints in a box with a network, and what the box has used. */
export async function javascript({ boxes }: Inside, script: string) {
  const { stdout, stderr, usage } = await boxes.run(boxes.node(script, { network: "egress" }));
  return { stdout: stdout.trim(), stderr, usage };
}

export const at = (port: number, addresses: readonly string[]) => addresses.map((address) => [address, port] as const);
export const all = (addresses: readonly string[], what: string) => addresses.map((address) => [address, what]);
