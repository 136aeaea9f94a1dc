import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";

/**
 * The program in a box that installs: npm, and nothing of what it keeps for another time, as what is left here becomes a layer.
 * `installer.mjs ci|install on|off`: the second says whether scripts of packages run.
 */
const NPM = "/usr/local/lib/node_modules/npm/bin/npm-cli.js";
const CACHE = "/tmp/npm";
const [command, scripts] = process.argv.slice(2);

const OPTIONS = [
  "--omit=dev",
  "--no-audit",
  "--no-fund",
  "--no-update-notifier",
  "--no-progress",
  "--logs-max=0",
  "--loglevel=notice",
  `--cache=${CACHE}`,
  ...(scripts === "on" ? ["--foreground-scripts"] : ["--ignore-scripts"]),
];

const npm = spawn(process.execPath, [NPM, command!, ...OPTIONS], { stdio: ["ignore", "inherit", "inherit"] });
const [code] = await once(npm, "exit");
await rm(CACHE, { recursive: true, force: true });
process.exit(code ?? 1);
