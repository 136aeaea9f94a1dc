import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "./home.ts";
import { ROOT } from "./root.ts";
import type { RunningSystem } from "./supervisor/supervisor.ts";

/** What a new user sees first: the URL, the key, a function deployed and called over HTTP, and what that call cost. */
export async function showHello(system: RunningSystem, home: Home, signal: AbortSignal): Promise<void> {
  const show = (text: string) => process.stdout.write(`${text}\n`);
  const began = performance.now();
  const source = readFileSync(join(ROOT, "docs", "examples", "hello.ts"));
  const deployed = await expectOk(
    await fetch(`${system.url}/v1/functions/hello?wait=120`, {
      method: "PUT",
      headers: { authorization: `Bearer ${home.key}`, "content-type": "application/typescript" },
      body: source,
      signal,
    }),
    "deploying hello",
  );
  show(`\n  url   ${system.url}`);
  show(`  key   ${home.key}`);
  show(`\n$ curl -H "Authorization: Bearer $KEY" -T docs/examples/hello.ts ${system.url}/v1/functions/hello`);
  show(`  hello v${deployed.version ?? "?"} is live (${Math.round(performance.now() - began)} ms)`);

  const answer = await fetch(`${system.url}/fn/hello?name=you`, { signal });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`calling hello: ${answer.status} ${text}`);
  show(`\n$ curl ${system.url}/fn/hello?name=you`);
  show(`  ${text.trimEnd()}`);
  const id = answer.headers.get("mayfly-invocation");
  show(`\n$ mayfly bill ${id}`);
  await showBill(system, home, String(id));
}

/** Through the command that the user would type: what is shown is what it shows. */
async function showBill(system: RunningSystem, home: Home, id: string): Promise<void> {
  const child = spawn(join(ROOT, "bin", "mayfly"), ["bill", id], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, MAYFLY_URL: system.url, MAYFLY_KEY: home.key },
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`mayfly bill ${id} ended with ${code}`);
}

async function expectOk(response: Response, doing: string): Promise<Record<string, unknown>> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${doing}: ${response.status} ${text}`);
  return JSON.parse(text);
}
