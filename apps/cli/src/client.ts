import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { Connection } from "./connection.ts";
import { CliError, EXIT, fetchError, parseProblem, problemError } from "./failure.ts";

/** The API over HTTP. Answers of the platform that are failures are thrown as CliError. */
export class Client {
  readonly url: string;
  readonly #key: string | null;

  constructor({ url, key }: Connection) {
    this.url = url;
    this.#key = key;
  }

  /** Any answer, as it is; redirects are the function's answer and not ours to follow. @throws CliError when there is none */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    // One's own credentials for a function go before the key.
    if (this.#key && !headers.has("authorization")) headers.set("authorization", `Bearer ${this.#key}`);
    try {
      return await fetch(`${this.url}${path}`, { redirect: "manual", ...init, headers });
    } catch (error) {
      throw fetchError(this.url, error);
    }
  }

  /** @throws CliError with the server's own words */
  async ok(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await this.fetch(path, init);
    if (response.ok) return response;
    throw await this.failure(response);
  }

  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    return JSON.parse(await this.text(await this.ok(path, init))) as T;
  }

  /** The body, whole. @throws CliError when it breaks off */
  async text(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw fetchError(this.url, error);
    }
  }

  /** The body as it comes. @throws CliError when it breaks off */
  async *chunks(response: Response): AsyncGenerator<Uint8Array> {
    if (!response.body) return;
    try {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) yield chunk;
    } catch (error) {
      throw fetchError(this.url, error);
    }
  }

  /** A connection that speaks another protocol from here on. @throws CliError with the server's own words */
  upgrade(path: string, protocol: string): Promise<Duplex> {
    const url = new URL(`${this.url}${path}`);
    const headers = { connection: "Upgrade", upgrade: protocol, authorization: `Bearer ${this.#key ?? ""}` };
    const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, { method: "POST", headers });
    return new Promise((resolve, reject) => {
      request.once("upgrade", (_, socket, head) => {
        socket.unshift(head);
        resolve(socket);
      });
      request.once("response", async (response) => {
        const body = Buffer.concat(await Array.fromAsync(response)).toString();
        reject(await this.failure(new Response(body, { status: response.statusCode ?? 500 })));
      });
      request.once("error", (cause) => reject(fetchError(this.url, new Error("no answer", { cause }))));
      request.end();
    });
  }

  async failure(response: Response): Promise<CliError> {
    const text = await this.text(response);
    const problem = parseProblem(text);
    if (problem) return problemError(problem);
    return new CliError(`the server answered ${response.status}: ${text.slice(0, 200)}`, { exit: EXIT.failed });
  }
}
