import { join } from "node:path";
import { buildSync } from "esbuild";
import { builtCage } from "../../testing/native.ts";
import type { CourierPrograms } from "../courier/process.ts";

/** For tests: the courier of the sources as they are. */
export function builtCourier(): CourierPrograms {
  const cage = builtCage();
  const program = join(cage, "..", `courier-${process.pid}.mjs`);
  const entryPoints = [join(import.meta.dirname, "../courier/main.ts")];
  buildSync({ entryPoints, outfile: program, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  return { cage, program };
}
