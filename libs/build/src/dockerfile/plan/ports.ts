import { isIP } from "node:net";
import { DockerfileError } from "../source/failure.ts";

const PROTOCOLS = ["tcp", "udp", "sctp"];

/** `[[ip:]host:]port[-port][/protocol]` → `port/protocol`, each of a range (docker/go-connections, nat). */
export function exposedPorts(spec: string): string[] {
  const parts = spec.split(":");
  const [container, host, ip] = [parts.at(-1)!, parts.at(-2) ?? "", parts.slice(0, -2).join(":")];
  const [range, protocol] = portAndProtocol(container);
  if (!PROTOCOLS.includes(protocol)) throw new DockerfileError(`invalid proto: ${protocol}`);
  if (ip !== "" && isIP(ip.replace(/^\[(.*)\]$/, "$1")) === 0) throw new DockerfileError(`invalid IP address: ${ip}`);
  if (range === "") throw new DockerfileError(`no port specified: ${spec}<empty>`);
  const [first, last] = portRange(range, `invalid containerPort: ${range}`);
  if (host !== "") {
    const [hostFirst, hostLast] = portRange(host, `invalid hostPort: ${host}`);
    if (last !== first && last - first !== hostLast - hostFirst) {
      throw new DockerfileError(`invalid ranges specified for container and host Ports: ${range} and ${host}`);
    }
  }
  return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${protocol}`);
}

/** Without a port, there is no protocol either. */
function portAndProtocol(text: string): [port: string, protocol: string] {
  const slash = text.indexOf("/");
  const port = slash === -1 ? text : text.slice(0, slash);
  const protocol = slash === -1 ? "" : text.slice(slash + 1);
  return port === "" ? ["", ""] : [port, (protocol || "tcp").toLowerCase()];
}

function portRange(text: string, wrong: string): [first: number, last: number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (!match || first > 65_535 || last > 65_535 || last < first) throw new DockerfileError(wrong);
  return [first, last];
}
