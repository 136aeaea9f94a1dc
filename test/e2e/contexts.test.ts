import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commitFiles } from "../../libs/build/src/testing/git-server.ts";
import { Ground } from "../../libs/container/src/network/testing/ground.ts";
import { PRIVATE, PUBLIC, RESOLVER } from "../../libs/container/src/network/testing/reach.ts";
import { KEY, type System, startSystem } from "./system.ts";

const MAYFLY = resolve(import.meta.dirname, "../../bin/mayfly");
const HELLO = "export default () => new Response('from a repository');";
const DOCKERFILE = "FROM mayfly/node:24\nCOPY index.mjs /app/\n";
/** The same server on two ports: boxes may go to the second one in a private network, so what refuses the first is the policy. */
const [REFUSED, ALLOWED] = [8080, 8081];

let ground: Ground;
let outside: ChildProcess;
let mayfly: System;
let dir: string;
let served: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "mayfly-contexts-"));
  served = join(dir, "served");
  put("resolv.conf", `nameserver ${RESOLVER}\n`);
  commitFiles(served, "code.git", { "index.ts": HELLO, "other/index.mjs": HELLO.replace("a repository", "a folder") });
  commitFiles(served, "image.git", { "sub/Dockerfile": DOCKERFILE, "sub/index.mjs": HELLO });
  put("served/context/Dockerfile", DOCKERFILE);
  put("served/context/index.mjs", HELLO.replace("a repository", "a tar"));
  execFileSync("tar", ["-C", join(served, "context"), "-czf", join(served, "context.tar.gz"), "."]);
  put(
    "served/Dockerfile",
    `FROM mayfly/node:24\nADD --chmod=644 http://${PUBLIC[0]}:${REFUSED}/context/index.mjs /app/\n`,
  );
  ground = await Ground.open([...PUBLIC, ...PRIVATE, RESOLVER]);
  const server = [process.execPath, join(import.meta.dirname, "outside.ts"), served, String(REFUSED), String(ALLOWED)];
  outside = spawn("setpriv", ["--pdeathsig=KILL", ...ground.enterWorld, ...server], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(outside.stdout!, "data");
  const mount = `mount --bind ${join(dir, "resolv.conf")} /etc/resolv.conf`;
  const env = { MAYFLY_EGRESS_ALLOW: `10.9.9.9:${ALLOWED},169.254.169.254:${ALLOWED}` };
  mayfly = await startSystem(env, [...ground.enter, "unshare", "--mount", "sh", "-ec", `${mount}; exec "$@"`, "sh"]);
}, 300_000);
afterAll(async () => {
  await mayfly?.stop();
  outside?.kill("SIGKILL");
  await ground?.close();
  rmSync(dir, { recursive: true, force: true });
}, 60_000);

function put(path: string, content: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), content);
}

/** As anybody would: with curl, from the host. */
const curl = (args: string) => ground.sh(`curl -sS -H 'Authorization: Bearer ${KEY}' ${args}`);
const deploy = async (name: string, reference: object) => {
  const sent = `-X PUT -w ' %{http_code}' --json '${JSON.stringify(reference)}'`;
  const [, body, status] = /^(.*) (\d+)$/s.exec(await curl(`${sent} '${mayfly.url}/v1/functions/${name}?wait=60'`))!;
  return { status: Number(status), ...(JSON.parse(body!) as { detail?: string; hint?: string }) };
};
const call = (name: string) => curl(`'${mayfly.url}/fn/${name}'`);
const at = (path: string, port = REFUSED) => `http://${PUBLIC[0]}:${port}${path}`;

describe("a source that is elsewhere becomes a function", () => {
  it.each<[string, () => object, string]>([
    ["a repository", () => ({ git: at("/code.git") }), "from a repository"],
    ["a folder of a branch of one", () => ({ git: at("/code.git"), ref: "main", dir: "other" }), "from a folder"],
    ["a Dockerfile in a folder of one", () => ({ url: at("/image.git#main:sub") }), "from a repository"],
    ["a context at an address", () => ({ url: at("/context.tar.gz") }), "from a tar"],
    ["a Dockerfile at an address, that adds one", () => ({ url: at("/Dockerfile") }), "from a tar"],
  ])(
    "%s",
    async (_, reference, answer) => {
      const deployed = await deploy("elsewhere", reference());
      expect(deployed.status, JSON.stringify(deployed)).toBeLessThan(202);
      expect(await call("elsewhere")).toBe(answer);
    },
    60_000,
  );
});

describe("what is private is not fetched, however it is written", () => {
  const WAYS: readonly (readonly [string, (port: number) => string])[] = [
    ["by its address", (port) => `http://10.9.9.9:${port}/context.tar.gz`],
    [
      "by one number",
      (port) => `http://${((169 << 24) >>> 0) + (254 << 16) + (169 << 8) + 254}:${port}/context.tar.gz`,
    ],
    ["by a name that stands for it", (port) => `http://10-9-9-9.test:${port}/context.tar.gz`],
    [
      "by a redirect from a public place",
      (port) => at(`/to?${encodeURIComponent(`http://10.9.9.9:${port}/context.tar.gz`)}`),
    ],
  ];
  it.each(WAYS)(
    "%s: refused at once; where the operator allows it, reached",
    async (_, address) => {
      const refused = await deploy("private", { url: address(REFUSED) });
      expect(refused).toMatchObject({
        status: 422,
        detail: expect.stringMatching(/^cannot connect to .*: ECONNREFUSED$/),
      });
      expect(refused.hint).toContain("MAYFLY_EGRESS_ALLOW");
      expect((await deploy("allowed", { url: address(ALLOWED) })).status).toBeLessThan(202);
    },
    60_000,
  );

  it("not by git, and not by ADD", async () => {
    const git = await deploy("private", { git: `http://10.9.9.9:${REFUSED}/code.git` });
    expect(git).toMatchObject({ status: 422, detail: expect.stringContaining("ECONNREFUSED") });
    put("Dockerfile", `FROM scratch\nADD http://[::ffff:10.9.9.9]:${REFUSED}/context.tar.gz /\n`);
    const added = await curl(`-T ${dir}/Dockerfile '${mayfly.url}/v1/functions/private?wait=60'`);
    expect(JSON.parse(added)).toMatchObject({
      code: "build_failed",
      detail: expect.stringContaining("ECONNREFUSED"),
      locations: [{ line: 2 }],
    });
  }, 180_000);
});

describe("mayfly build", () => {
  const cli = (args: string, input = "", after = "") =>
    ground.sh(
      `cd ${dir}; export MAYFLY_URL=${mayfly.url} MAYFLY_KEY=${KEY}; ${input}${MAYFLY} ${args} 2>stderr ${after}`,
    );
  const stderr = () => readFileSync(join(dir, "stderr"), "utf8");

  it("takes a folder with its .dockerignore, names the image, says its digest, and what was cached", async () => {
    put("project/Dockerfile", "FROM mayfly/node:24\nARG WHO=x\nLABEL who=$WHO\nCOPY . /app/\n");
    put("project/index.mjs", `${HELLO} // of a project`);
    put("project/secret.txt", "no");
    put("project/.dockerignore", "*.txt\n.dockerignore\nDockerfile\n");
    const args = "build -t own:1 -t own:latest --build-arg WHO=me --label a=b --iidfile id --progress plain project";
    const digest = (await cli(args)).trim();
    expect(stderr()).toMatch(/#1 \[.*\] COPY \. \/app\/\n#1 DONE/);
    expect(readFileSync(join(dir, "id"), "utf8")).toBe(digest);
    expect((await cli("build -q project --build-arg WHO=me --label a=b")).trim()).toMatch(/^sha256:/);
    await cli("build --progress=plain --build-arg WHO=me project");
    expect(stderr()).toContain("#1 CACHED");
    const { tags, config } = JSON.parse(await cli("image inspect own:1"));
    expect(JSON.stringify([tags, config])).toMatch(/own:latest.*"a":"b"/s);
    await cli("image export -o root.tar own:1");
    expect(execFileSync("tar", ["-tf", join(dir, "root.tar"), "app"], { encoding: "utf8" })).toBe(
      "app/\napp/index.mjs\n",
    );
  }, 180_000);

  it("takes a Dockerfile and a tar on standard input, a repository, a Dockerfile from elsewhere", async () => {
    expect(await cli("build -q -", "printf 'FROM mayfly/node:24\\nENV A=b\\n' | ")).toMatch(/^sha256:/);
    expect(await cli("build -q -", `cat ${served}/context.tar.gz | `)).toMatch(/^sha256:/);
    expect(await cli(`build -q ${at("/image.git#main:sub")}`)).toMatch(/^sha256:/);
    expect(await cli("build -q -f - project", "printf 'FROM scratch\\nCOPY . /\\n' | ")).toMatch(/^sha256:/);
  }, 180_000);

  it("gives RUN what docker's flags say: no network, names of hosts; and says what it has made", async () => {
    const see = `const os = require("os"), fs = require("fs");
      console.log(JSON.stringify([Object.keys(os.networkInterfaces()), fs.readFileSync("/etc/hosts", "utf8")]));`;
    put("flags/Dockerfile", `FROM mayfly/node:24\nRUN ["node", "-e", ${JSON.stringify(see)}]\n`);
    const flags = "-t flags:1 --platform linux/amd64 --network none --add-host db:192.0.2.7 --pull --load";
    const digest = (await cli(`build ${flags} --metadata-file made.json --progress plain flags`)).trim();
    const seen = /#1 [\d.]+ (\[.*)/.exec(stderr())![1]!;
    expect(JSON.parse(seen)).toEqual([
      ["lo"],
      "127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n192.0.2.7\tdb\n",
    ]);
    expect(JSON.parse(readFileSync(join(dir, "made.json"), "utf8"))).toEqual({
      "buildx.build.ref": expect.stringMatching(/^bld_/),
      "containerimage.digest": digest,
      "image.name": "flags:1",
    });
    await cli("build --progress plain flags");
    expect(JSON.parse(/#1 [\d.]+ (\[.*)/.exec(stderr())![1]!)[0]).toContain("eth0");
    await cli("image export -o flags.tar flags:1");
    const hosts = execFileSync("tar", ["-xOf", join(dir, "flags.tar"), "etc/hosts"], { encoding: "utf8" });
    expect(hosts).not.toContain("buildkitsandbox");
  }, 180_000);

  it.each([
    ["a platform that is not the server's", "--platform linux/riscv64", "this machine, which is linux/amd64", 1],
    ["several platforms", "--platform linux/amd64,linux/arm64", "one platform at a time", 2],
    ["the host's network", "--network host", "none of default, none", 2],
    ["files as a result", "-o out", "mayfly image export NAME", 2],
    ["a registry that is to have it", "--push", "mayfly image push NAME", 2],
    ["an address that is none", "--add-host a:host-gateway", "write it like db:192.0.2.7", 2],
  ])(
    "refuses %s, and says what to do",
    async (_, flags, message, status) => {
      expect(await cli(`build ${flags} project`, "", "|| echo status $?")).toContain(`status ${status}`);
      expect(stderr()).toContain(message);
    },
    60_000,
  );

  it("says of a program that the image lacks, or its user may not run, just that", async () => {
    const failing = async (run: string) => {
      put("lacking/Dockerfile", `FROM mayfly/node:24\n${run}\n`);
      await cli("build -q lacking", "", "|| true");
      return /mayfly: build_failed: (.*)/.exec(stderr())![1];
    };
    const why = "is not in the image, or what it is run by is not";
    expect(await failing("RUN npm install")).toContain(`exec: "/bin/sh" ${why}`);
    expect(await failing('RUN ["nosuch"]')).toContain(`exec: "nosuch" ${why}`);
    expect(await failing('RUN ["/etc/passwd"]')).toContain('exec: "/etc/passwd" may not be run by its user');
  }, 60_000);

  it("that fails says what was said last, the line, and how it ended", async () => {
    put("failing/Dockerfile", `FROM mayfly/node:24\nRUN ["node", "-e", "console.log('said last'); process.exit(3)"]\n`);
    const status = await cli("build --progress plain failing", "", "|| echo status $?");
    expect(status).toContain("status 1");
    expect(stderr()).toMatch(/said last\n------\nDockerfile:2\n-+\n.*>>> RUN/s);
    expect(stderr()).toContain("exit code: 3");
  }, 180_000);

  it("that is interrupted is cancelled: nothing of it runs on, and the next build begins", async () => {
    put(
      "long/Dockerfile",
      `FROM mayfly/node:24\nUSER 0\nRUN ["node", "-e", "console.log('begun'); setTimeout(() => {}, 600000)"]\n`,
    );
    const interrupted = `timeout --preserve-status -s INT 4 ${MAYFLY} build --progress plain long`;
    const status = await ground.sh(
      `cd ${dir}; export MAYFLY_URL=${mayfly.url} MAYFLY_KEY=${KEY}; ${interrupted} 2>stderr || echo status $?`,
    );
    expect([status.trim(), stderr()]).toEqual([
      "status 130",
      expect.stringMatching(/begun\n\nthe build was cancelled\n$/),
    ]);
    const scratch = join(mayfly.home, "boxes/scratch");
    for (let waited = 0; readdirSync(scratch).length > 0 && waited < 10_000; waited += 100) await sleep(100);
    expect([readdirSync(scratch), readdirSync(join(mayfly.home, "uploads"))]).toEqual([[], []]);
    expect((await cli("build -q project")).trim()).toMatch(/^sha256:/);
  }, 60_000);
});
