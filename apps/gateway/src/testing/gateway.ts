import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BuildResult,
  DEFAULT_SETTINGS,
  type FunctionName,
  NO_BUILD_OPTIONS,
  newBuildId,
  type Settings,
} from "@mayfly/contract";
import { listenChannel, type PrivateRedis, startPrivateRedis } from "@mayfly/queue";
import { pino } from "pino";
import { vi } from "vitest";
import { onConnection } from "../channel-server.ts";
import type { GatewayDeps } from "../deps.ts";
import { startServer } from "../http/server.ts";
import { createListener, createUpgrade } from "../listener.ts";
import { closeDeps, openDeps } from "../open-deps.ts";
import { IMAGE, TestWorker } from "./worker.ts";

export const KEY = "mf_test_key_0123456789";
export const PREFIX = "test";

/** A gateway with its real catalog, ledger, queue and Redis, and a worker that speaks the real protocol and runs no boxes. */
export interface TestGateway {
  readonly url: string;
  readonly port: number;
  readonly deps: GatewayDeps;
  readonly redis: PrivateRedis;
  readonly worker: TestWorker;
  /** With the key. */
  api(path: string, init?: RequestInit): Promise<Response>;
  json(path: string, init?: RequestInit): Promise<Record<string, unknown>>;
  call(path: string, init?: RequestInit): Promise<Response>;
  /** Puts a version into the catalog, as a build would. */
  define(name: string, settings?: Partial<Settings>): Promise<void>;
  close(): Promise<void>;
}

export async function startGateway(options: { queueLimit?: number } = {}): Promise<TestGateway> {
  const redis = await startPrivateRedis();
  const home = mkdtempSync(join(tmpdir(), "mayfly-gateway-"));
  const channel = join(home, "channel.sock");
  const deps = await openDeps(
    { home, key: KEY, channel, queueLimit: options.queueLimit ?? 50, redis: redis.address, prefix: PREFIX },
    pino({ level: "silent" }),
  );
  const listener = await listenChannel({
    path: channel,
    onConnection: (hello, connection) => void onConnection(hello, connection, deps),
  });
  const server = await startServer({
    listener: createListener(deps),
    upgrade: createUpgrade(deps),
    host: "127.0.0.1",
    port: 0,
  });
  const { port } = server.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const worker = await TestWorker.start({ redis: redis.address, prefix: PREFIX, channel });
  await vi.waitFor(() => deps.producer.ping(), { timeout: 10_000, interval: 10 });
  const api: TestGateway["api"] = (path, init = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${KEY}`, ...(init.headers as Record<string, string>) },
    });
  return {
    url,
    port,
    deps,
    redis,
    worker,
    api,
    json: async (path, init) => (await (await api(path, init)).json()) as Record<string, unknown>,
    call: (path, init) => fetch(`${url}/fn/${path}`, init),
    define: (name, settings = {}) => define(deps, name as FunctionName, { ...DEFAULT_SETTINGS, ...settings }),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await worker.close();
      listener.close();
      await closeDeps(deps);
      await redis.remove();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function define(deps: GatewayDeps, name: FunctionName, settings: Settings): Promise<void> {
  const now = new Date().toISOString();
  const id = newBuildId(Date.now());
  const source_digest = `sha256:${crypto.randomUUID()}/module/index.ts`;
  const options = NO_BUILD_OPTIONS;
  await deps.catalog.createBuild({ id, function: name, created_at: now, source_digest, settings, options });
  const outcome = { status: "done", image: IMAGE, contract: "fetch", size_bytes: 1, exports: [] as string[] } as const;
  const result: BuildResult = {
    ...{ build: id, function: name, ended_at: now, duration_us: 1, log_tail: [], usage: null, bill: null, outcome },
  };
  await deps.catalog.finishBuild(result);
}

/** One request below fetch: any header, a body that comes when the test says. */
export function rawRequest(
  port: number,
  path: string,
  options: RequestOptions = {},
): { request: import("node:http").ClientRequest; answer: Promise<IncomingMessage> } {
  const request = httpRequest({ host: "127.0.0.1", port, path, agent: false, ...options });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  answer.catch(() => {});
  return { request, answer };
}

export async function textOf(message: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** A problem document, known to be one. */
export async function problemOf(answer: Response): Promise<Record<string, unknown>> {
  const type = answer.headers.get("content-type");
  const text = await answer.text();
  if (type !== "application/problem+json") throw new Error(`${answer.status} with ${type} is no problem: ${text}`);
  return JSON.parse(text);
}
