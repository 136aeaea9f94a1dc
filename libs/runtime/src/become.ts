import { setFlagsFromString } from "node:v8";
import { RUNNER_PATH } from "./index.ts";

/** What a fork learns of itself. */
export interface Tenancy {
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly pid: number;
  /** 31 random bits, not 0. */
  readonly seed: number;
}

/** Makes the process one of its own: what Node keeps of the process that booted a fork must not have. */
export function become(tenancy: Tenancy): void {
  // Math.random() of this context draws its first numbers from this seed: nobody has called it before.
  setFlagsFromString(`--random-seed=${tenancy.seed}`);
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const entry of tenancy.env) {
    const at = entry.indexOf("=");
    process.env[entry.slice(0, at)] = entry.slice(at + 1);
  }
  const born = process.hrtime.bigint();
  const own = (name: string, value: unknown) =>
    Object.defineProperty(process, name, { value, writable: false, enumerable: true, configurable: true });
  own("pid", tenancy.pid);
  own("uptime", () => Number(process.hrtime.bigint() - born) / 1e9);
  process.argv[1] = RUNNER_PATH;
  process.chdir(tenancy.cwd); // It is there; this makes Node forget the folder that it remembered.
}
