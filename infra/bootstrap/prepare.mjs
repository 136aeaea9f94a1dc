import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDebianPackages, SetupError } from "./debian.mjs";

/** Plain JavaScript for the Node that is there (20 or later): nothing of node_modules exists yet when this runs. */

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const NODE24 = join(ROOT, "node_modules", ".bin", "node");
const STAMP = join(ROOT, "node_modules", ".mayfly-lock");

/**
 * Brings the machine and the clone to where Node 24 can take over: Debian packages, then exactly what the lockfile says.
 * @param {Record<string, string>} packages @param {(line: string) => void} say
 */
export function prepare(packages, say) {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new SetupError(`this is ${process.platform} on ${process.arch}`, "Mayfly runs on Linux on x86-64");
  }
  if (process.getuid?.() !== 0)
    throw new SetupError("you are not root", "boxes need namespaces, mounts and cgroups: run it as root");
  ensureDebianPackages(packages, say);
  installDependencies(say);
}

function installDependencies(say) {
  const lock = createHash("sha256")
    .update(readFileSync(join(ROOT, "package-lock.json")))
    .digest("hex");
  if (existsSync(NODE24) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === lock) return;
  say("npm ci: installing what package-lock.json lists (about 20 s)");
  const out = spawnSync("npm", ["ci"], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, NODE_ENV: "" },
    maxBuffer: 64 << 20,
  });
  if (out.error) throw new SetupError(`npm: ${out.error.message}`, "install npm and start again");
  if (out.status !== 0) {
    say((out.stdout + out.stderr).trimEnd().split("\n").slice(-15).join("\n"));
    throw new SetupError(
      `npm ci failed with status ${out.status}`,
      "its last lines stand above; is the npm registry reachable?",
    );
  }
  writeFileSync(STAMP, lock);
}

/** Runs the rest under Node 24, passes signals on, and ends as it ends. */
export async function handOver(spawn, script, args) {
  const child = spawn(NODE24, [join(ROOT, script), ...args], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  const [code, signal] = await new Promise((resolve) => child.once("exit", (...how) => resolve(how)));
  process.exit(code ?? (signal === "SIGINT" ? 130 : 143));
}

/** One way to fail: what, then what to do. */
export function fail(error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`mayfly: ${error.message}\n        ${error.hint}\n`);
  process.exit(78);
}
