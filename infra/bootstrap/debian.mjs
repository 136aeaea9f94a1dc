import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";

/**
 * Installs the Debian packages that are missing, and only those. No service is started by it (policy-rc.d answers 101 while we
 * install, unless the machine has a policy of its own). Fast when nothing is missing.
 * @param {Record<string, string>} packages name → reason
 * @param {(line: string) => void} say
 */
export function ensureDebianPackages(packages, say) {
  const missing = Object.keys(packages).filter((name) => !installed(name));
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0)
    throw new SetupError(`these Debian packages are missing: ${missing.join(", ")}`, `as root: ${command}`);
  if (!existsSync("/usr/bin/apt-get")) {
    throw new SetupError(
      `these packages are missing and there is no apt-get: ${missing.join(", ")}`,
      "Mayfly sets itself up on Debian 12; elsewhere install their equivalents yourself",
    );
  }
  for (const name of missing) say(`installing ${name}: ${packages[name]}`);
  withoutServiceStarts(() => {
    apt(["update", "-q"], say);
    apt(["install", "-y", "-q", "--no-install-recommends", ...missing], say);
  });
  const still = missing.filter((name) => !installed(name));
  if (still.length > 0)
    throw new SetupError(`apt-get ran, yet these are not installed: ${still.join(", ")}`, `try it by hand: ${command}`);
}

export class SetupError extends Error {
  /** @param {string} message @param {string} hint */
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

function installed(name) {
  const out = spawnSync("dpkg-query", ["-W", "-f", "${db:Status-Status}", name], { encoding: "utf8" });
  return out.status === 0 && out.stdout.trim() === "installed";
}

function apt(args, say) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1" };
  const out = spawnSync("apt-get", ["-o", "DPkg::Lock::Timeout=120", ...args], {
    encoding: "utf8",
    env,
    maxBuffer: 64 << 20,
  });
  if (out.error) throw new SetupError(`apt-get ${args[0]}: ${out.error.message}`, "is this Debian?");
  if (out.status === 0) return;
  say((out.stdout + out.stderr).trimEnd().split("\n").slice(-15).join("\n"));
  throw new SetupError(
    `apt-get ${args.join(" ")} failed with status ${out.status}`,
    "its last lines stand above; mend that and start again, what is done stays done",
  );
}

function withoutServiceStarts(action) {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return action();
  writeFileSync(policy, "#!/bin/sh\nexit 101\n");
  chmodSync(policy, 0o755);
  try {
    action();
  } finally {
    rmSync(policy, { force: true });
  }
}
