import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { connect } from "node:net";

/**
 * For courier.test.ts: `probe.ts <port> <unix socket> <abstract socket> <pid>` tries what a courier that was taken over would try, and says
 * on descriptor 3 what each try came to: `done`, or the system's word for no.
 */
const [port, path, abstract, pid] = process.argv.slice(2) as [string, string, string, string];
const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error);
const tried = (act: () => unknown): string => {
  try {
    act();
    return "done";
  } catch (error) {
    return codeOf(error);
  }
};
const connected = (to: { path: string } | { port: number }): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(to, () => resolve("done"));
    socket.on("error", (error) => resolve(codeOf(error)));
  });

const found = {
  files: tried(() => readFileSync("/etc/passwd")),
  processes: tried(() => readFileSync(`/proc/${pid}/environ`)),
  write: tried(() => {
    writeFileSync("/tmp/mayfly-probe", "");
    rmSync("/tmp/mayfly-probe");
  }),
  program: tried(() => {
    const { error } = spawnSync("/bin/sh", ["-c", ":"]);
    if (error) throw error;
  }),
  root: tried(() => process.setuid!(0)),
  kill: tried(() => process.kill(Number(pid), 0)),
  socket: await connected({ path }),
  abstract: await connected({ path: abstract.replace("@", "\0") }),
  internet: await connected({ port: Number(port) }),
  user: process.getuid!(),
  groups: process.getgroups!(),
  seen: tried(() => {
    throw Object.assign(new Error(), { code: readdirSync("/").sort().join(" ") });
  }),
};
writeSync(3, JSON.stringify(found));
process.exit();
