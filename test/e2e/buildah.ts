import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** Boxes of buildah's own are a chroot: neither cgroups nor a network of this machine are touched. */
const BUILDAH = ["buildah", "--storage-driver", "vfs", "--root", "storage", "--runroot", "run"];

/** What buildah does to an image; `$1` is where it comes from, `$2` where it goes, `$3` the credential. */
const SCRIPT = `
  mkdir -p /var/lib/containers && mount -t tmpfs tmpfs /var/lib/containers
  b() { ${BUILDAH.join(" ")} "$@"; }
  box=$(b from --quiet --tls-verify=false --creds "$3" --signature-policy policy.json "docker://$1")
  b run --isolation chroot --user 0:0 "$box" -- node -e 'require("fs").writeFileSync("/made-by-run", process.version)' < /dev/null
  b copy --quiet "$box" app /app > /dev/null
  b config --env GREETING=buildah --label made=here --workingdir /app "$box"
  b commit --quiet --signature-policy policy.json "$box" changed > /dev/null
  b push --quiet --tls-verify=false --creds "$3" --signature-policy policy.json --digestfile digest changed "docker://$2"
  cat digest`;

/**
 * buildah pulls an image, runs a program in it, adds files, changes its config, commits and pushes. Its store, its policy and its list of
 * registries lie in `dir`; what it mounts, and its cache, end with it. @returns the digest of what it pushed
 */
export async function changeByBuildah(
  dir: string,
  change: {
    readonly from: string;
    readonly to: string;
    readonly credential: string;
  },
  app: Readonly<Record<string, string>>,
): Promise<string> {
  mkdirSync(join(dir, "app"), { recursive: true });
  for (const [name, text] of Object.entries(app)) writeFileSync(join(dir, "app", name), text);
  writeFileSync(join(dir, "policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  writeFileSync(join(dir, "registries.conf"), "unqualified-search-registries = []\n");
  const { from, to, credential } = change;
  const args = ["--mount", "--propagation", "private", "sh", "-ec", SCRIPT, "sh", from, to, credential];
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    TMPDIR: dir,
    CONTAINERS_REGISTRIES_CONF: join(dir, "registries.conf"),
  };
  return (await promisify(execFile)("unshare", args, { cwd: dir, env })).stdout.trim();
}
