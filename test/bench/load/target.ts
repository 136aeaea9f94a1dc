import { Agent, get } from "node:http";
import { runCommand } from "../peers/command.ts";
import type { Target } from "./job.ts";

/** One request. Resolves with when it was answered (performance.now()), once the next may follow. Rejects when it failed. */
export type Request = () => Promise<number>;

export function openTarget(target: Target): { request: Request; close(): void } {
  if (target.kind === "http") {
    const agent = new Agent({ keepAlive: true });
    return { request: () => fetchOnce(target.url, agent), close: () => agent.destroy() };
  }
  const free = [...target.commands];
  const waiting: (() => void)[] = [];
  return {
    request: async () => {
      while (free.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
      const command = free.pop()!;
      const began = performance.now();
      try {
        const ran = await runCommand(command);
        return began + (target.counts === "end" ? ran.end_ms : ran.firstByte_ms);
      } finally {
        free.push(command);
        waiting.shift()?.();
      }
    },
    close: () => {},
  };
}

const fetchOnce = (url: string, agent: Agent): Promise<number> =>
  new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let body = "";
      response.setEncoding("latin1");
      response.on("data", (chunk) => {
        if (body.length < 300) body += chunk;
      });
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200) resolve(performance.now());
        else reject(new Error(`HTTP ${response.statusCode} ${body}`));
      });
    }).once("error", reject);
  });
