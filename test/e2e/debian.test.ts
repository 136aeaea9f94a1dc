import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DockerRegistry, startDockerRegistry } from "@mayfly/image";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "../../infra/src/root.ts";
import { debianBase } from "../conformance/builders/bases.ts";
import { runMayfly } from "./program.ts";
import { type System, startSystem } from "./system.ts";

/** What is done to it, each line another kind of change. */
const CHANGES = `set -e
echo changed >> /etc/issue
rm -r /usr/share/doc/apt
rm /etc/motd
mkdir -m 2750 /srv/new && chown 33:44 /srv/new
echo new > /srv/new/file && ln /srv/new/file /srv/new/linked && ln -s file /srv/new/pointing
chmod 4711 /bin/tar
useradd --no-create-home somebody
dpkg-query -W -f '\${Package}\n' | sort > /srv/packages`;

let here: System;
let elsewhere: System;
let docker: DockerRegistry;
let dir: string;
let debian: string;
beforeAll(async () => {
  debian = debianBase(join(ROOT, "build/conformance"), () => {}).tar;
  [here, docker] = await Promise.all([startSystem(), startDockerRegistry()]);
  elsewhere = await startSystem();
  dir = mkdtempSync(join(tmpdir(), "mayfly-debian-"));
}, 600_000);
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  await docker?.close();
  for (const system of [here, elsewhere]) expect(await system?.stop()).toBe(0);
}, 60_000);

/** `mayfly …` of a system; its standard output. */
async function done(system: System, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runMayfly(args, { cwd: dir, env: { MAYFLY_URL: system.url, NO_COLOR: "1" } });
  if (code !== 0) throw new Error(`${args.join(" ")}: ${code}\n${stderr}`);
  return stdout.trim();
}

/** Every entry of a tar with its mode, owners, size and time, by its path. */
function entries(tar: string): Map<string, string> {
  const args = ["--numeric-owner", "--full-time", "--quoting-style=escape", "-tvf", join(dir, tar)];
  const lines = execFileSync("tar", args, { encoding: "utf8", maxBuffer: 1 << 27 })
    .trimEnd()
    .split("\n");
  return new Map(
    lines.map((line) => {
      const [, looks, path, target = ""] = /^((?:\S+ +){5})(.*?)(?:( -> .*)| link to .*)?$/.exec(line)!;
      return [path!.replace(/\/$/, ""), `${looks!.replace(/ +/g, " ")}${target}`];
    }),
  );
}

it("a Debian is imported, run, changed, committed, pushed, pulled into another store, run: the change is there, nothing else differs", async () => {
  const name = `${docker.host}/debian:changed`;
  await done(here, "image", "import", debian, "debian:12");
  await done(here, "run", "--name", "changing", "debian:12", "sh", "-c", CHANGES);
  await done(here, "commit", "-c", 'CMD ["cat", "/srv/new/pointing"]', "changing", name);
  await done(here, "image", "push", name);

  await done(elsewhere, "image", "pull", name);
  expect(await done(elsewhere, "run", "--rm", name)).toBe("new");
  const looked =
    "id -u somebody; stat -c '%u:%g %a %h' /srv/new /srv/new/file /bin/tar; ls /etc/motd; dpkg --audit; dpkg -l | wc -l";
  const packages = (await done(elsewhere, "run", "--rm", name, "cat", "/srv/packages")).split("\n");
  expect(packages).toContain("apt");
  const seen = await runMayfly(["run", "--rm", name, "sh", "-c", looked], {
    cwd: dir,
    env: { MAYFLY_URL: elsewhere.url, NO_COLOR: "1" },
  });
  expect(seen.stdout.trim().split("\n")).toEqual([
    ...["1000", "33:44 2750 2", "0:44 644 2", expect.stringMatching(/^0:0 4711 /), String(packages.length + 5)],
  ]);

  await done(here, "image", "export", "debian:12", "-o", "before.tar");
  await done(here, "export", "changing", "-o", "box.tar");
  await done(elsewhere, "image", "export", name, "-o", "after.tar");
  expect(readFileSync(join(dir, "after.tar")).equals(readFileSync(join(dir, "box.tar")))).toBe(true);
  const [before, after] = [entries("before.tar"), entries("after.tar")];
  const differing = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
  const gone = [...before.keys()].filter((path) => path.includes("/share/doc/apt"));
  expect(gone.length).toBeGreaterThan(1);
  const accounts = ["passwd", "group", "shadow", "gshadow", "subuid", "subgid"].flatMap((file) => [file, `${file}-`]);
  const expected = new Set([
    ...gone,
    ...["etc", "etc/issue", "etc/motd", "srv", "srv/new", "srv/new/file", "srv/new/linked", "srv/new/pointing"],
    ...["srv/packages", "usr/bin/tar", "usr/share/doc"],
    ...accounts.map((file) => `etc/${file}`),
  ]);
  expect(differing.filter((path) => !expected.has(path))).toEqual([]);
  for (const path of ["etc/issue", "etc/passwd", "srv/new/file", "usr/bin/tar"]) expect(differing).toContain(path);
}, 600_000);
