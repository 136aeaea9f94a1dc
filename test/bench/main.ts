import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { buildNative } from "../../infra/src/prepare/native.ts";

/** Each bench is a program of its own; without a name all of them run. */
const BENCHES = ["box"];

const [name, ...args] = process.argv.slice(2);
if (name !== undefined && !BENCHES.includes(name)) {
  process.stderr.write(`bench: there is no ${name}; there is ${BENCHES.join(", ")}\n`);
  process.exit(2);
}
await buildNative((line) => process.stderr.write(`setup  ${line}\n`));
process.stdout.write(`Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.version}\n`);
for (const bench of name === undefined ? BENCHES : [name]) {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, `${bench}.ts`), ...args],
    { stdio: "inherit" },
  );
  const [code] = await once(child, "exit");
  if (code !== 0) process.exit(code ?? 1);
}
