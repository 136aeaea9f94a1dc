import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, isIPv6, type Server, type Socket } from "node:net";
import { NetworkError } from "./error.ts";
import type { Resolvers } from "./resolvers.ts";
import { Shares } from "./shares.ts";

const PORT = 53;
const TRIES_MS = 2_000;
const IDLE_MS = 10_000;
/** On their way at once, of one box and of all. Further questions are not taken, and who asked asks again. */
const QUESTIONS = { each: 64, all: 1024 } as const;
const CONNECTIONS = { each: 4, all: 128 } as const;

/**
 * Carries questions of boxes, unread, from the bridge's own address to the host's resolvers, wherever these are: in a private network,
 * on loopback, on IPv6. A box cannot reach a resolver by itself (docs/decisions/0008).
 */
export class DnsRelay {
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #resolvers: Resolvers;
  readonly #questions = new Shares(QUESTIONS);
  readonly #joined = new Shares(CONNECTIONS);
  readonly #asking = new Set<UdpSocket>();
  readonly #connections = new Set<Socket>();

  /** @throws NetworkError when the address cannot be listened on */
  static async open(address: string, resolvers: Resolvers): Promise<DnsRelay> {
    const udp = createSocket("udp4");
    const tcp = createServer({ allowHalfOpen: true });
    const relay = new DnsRelay(udp, tcp, resolvers);
    try {
      udp.bind(PORT, address);
      await once(udp, "listening");
      tcp.listen(PORT, address);
      await once(tcp, "listening");
    } catch (error) {
      await relay.close();
      const answer = (error as NodeJS.ErrnoException).code ?? String(error);
      const remedy = "a resolver that listens on every address of this host is in the way: bind it to its own ones";
      throw new NetworkError(`listen on ${address}:${PORT}`, answer, answer === "EADDRINUSE" ? remedy : null, error);
    }
    udp.on("error", () => {}); // one datagram that could not be sent; who asked asks again
    tcp.on("error", () => {}); // one connection that could not be taken
    return relay;
  }

  private constructor(udp: UdpSocket, tcp: Server, resolvers: Resolvers) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.#resolvers = resolvers;
    udp.on("message", (question, from) => {
      if (this.#questions.take(from.address)) this.#ask(question, from, 0);
    });
    tcp.on("connection", (socket) => this.#join(socket));
  }

  async close(): Promise<void> {
    for (const socket of this.#asking) socket.close();
    for (const socket of this.#connections) socket.destroy();
    this.#asking.clear();
    this.#udp.close();
    if (this.#tcp.listening) await new Promise((resolve) => this.#tcp.close(resolve));
  }

  /** A socket for each question: its port, chosen by the kernel, is part of what makes an answer hard to forge. */
  #ask(question: Buffer, from: RemoteInfo, attempt: number): void {
    const resolver = this.#resolvers.current()[attempt];
    if (resolver === undefined) {
      this.#questions.give(from.address);
      this.#fail(question, from);
      return;
    }
    const socket = createSocket(isIPv6(resolver.replace(/%.*$/, "")) ? "udp6" : "udp4");
    const finish = (): boolean => {
      clearTimeout(timer);
      if (!this.#asking.delete(socket)) return false;
      socket.close();
      return true;
    };
    const next = () => finish() && this.#ask(question, from, attempt + 1);
    const timer = setTimeout(next, TRIES_MS);
    this.#asking.add(socket);
    socket.on("error", next);
    socket.on("message", (answer) => {
      if (!finish()) return;
      this.#questions.give(from.address);
      this.#udp.send(answer, from.port, from.address, () => {});
    });
    socket.connect(PORT, resolver, () => this.#asking.has(socket) && socket.send(question));
  }

  /** No resolver answered: said at once, so that nobody waits for it (SERVFAIL, RFC 1035 §4.1.1). */
  #fail(question: Buffer, from: RemoteInfo): void {
    if (question.length < 12) return;
    const answer = Buffer.from(question);
    answer[2]! |= 0x80;
    answer[3] = (answer[3]! & 0xf0) | 2;
    this.#udp.send(answer, from.port, from.address, () => {});
  }

  #join(inside: Socket): void {
    const box = inside.remoteAddress;
    if (box === undefined || !this.#joined.take(box)) {
      inside.destroy();
      return;
    }
    inside.once("close", () => this.#joined.give(box));
    const outside = connect({ host: this.#resolvers.current()[0]!, port: PORT, allowHalfOpen: true });
    const ends = [inside, outside] as const;
    const end = () => {
      for (const socket of ends) {
        socket.destroy();
        this.#connections.delete(socket);
      }
    };
    for (const socket of ends) {
      this.#connections.add(socket);
      socket.setTimeout(IDLE_MS, end);
      socket.on("error", end);
      socket.on("close", end);
    }
    inside.pipe(outside).pipe(inside);
  }
}
