import { createSocket, type Socket } from "node:dgram";
import { createServer, type Server } from "node:net";

/** Every name has the address that stands before its first dot, with dashes for dots; no name has an IPv6 address. */
function answer(question: Buffer): Buffer {
  const label = question.toString("latin1", 13, 13 + question[12]!);
  const end = question.indexOf(0, 12) + 5;
  const isA = question.readUInt16BE(end - 4) === 1;
  const head = Buffer.from([...question.subarray(0, 2), 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]);
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...label.split("-").map(Number)];
  return Buffer.concat([head, question.subarray(12, end), Buffer.from(isA ? record : [])]);
}

/** A resolver of its own wisdom at an address, over UDP and TCP. */
export function serveNames(address: string): [Socket, Server] {
  const udp = createSocket("udp4");
  udp.on("message", (question, from) => udp.send(answer(question), from.port, from.address));
  udp.bind(53, address);
  const tcp = createServer((socket) => {
    socket.once("data", (bytes) => {
      const reply = answer(bytes.subarray(2));
      socket.end(Buffer.from([reply.length >> 8, reply.length & 255, ...reply]));
    });
  });
  return [udp, tcp.listen(53, address)];
}
