import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Certificate } from "./certificates.ts";

/** Debian's docker-registry, on a folder and a port of its own. */
export interface DockerRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  close(): Promise<void>;
}

export interface DockerRegistryOptions {
  /** The section `auth` of its configuration, as lines of YAML. */
  readonly auth?: (dir: string) => Promise<string>;
  /** It speaks TLS alone, as whom this certificate says. */
  readonly tls?: Certificate;
}

export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const dir = await mkdtemp(join(tmpdir(), "mayfly-docker-registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  const config = [
    "version: 0.1",
    "log: {level: error, accesslog: {disabled: true}}",
    `storage: {filesystem: {rootdirectory: ${dir}/data}, delete: {enabled: true}}`,
    `http: {addr: "${host}", relativeurls: true${tlsOf(options)}}`,
    (await options.auth?.(dir)) ?? "",
  ];
  await writeFile(join(dir, "config.yml"), config.join("\n"));
  const args = ["--pdeathsig=KILL", "docker-registry", "serve", join(dir, "config.yml")];
  const child = spawn("setpriv", args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(-4000);
  });
  while (!(await answers(host))) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}: ${said}`);
    await sleep(20);
  }
  return {
    host,
    async close() {
      if (child.exitCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const tlsOf = ({ tls }: DockerRegistryOptions): string =>
  tls ? `, tls: {certificate: ${tls.certificate}, key: ${tls.key}}` : "";

/** In plain HTTP, to which TLS answers that it is none. */
const answers = (host: string): Promise<boolean> =>
  fetch(`http://${host}/v2/`).then(
    () => true,
    () => false,
  );

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
