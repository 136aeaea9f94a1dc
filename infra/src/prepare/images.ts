import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BUILD, ROOT } from "../root.ts";
import type { Bundles } from "./bundles.ts";

/** Makes `mayfly/node:24` and `mayfly/builder` in an image store, unless they are there from the same inputs. */
export async function makeImages({
  images,
  bundles,
  native,
  say,
}: {
  /** Folder of the store. */
  readonly images: string;
  readonly bundles: Bundles;
  /** The folder that buildNative made. */
  readonly native: string;
  readonly say: (line: string) => void;
}): Promise<void> {
  const script = join(ROOT, "infra", "base-image", "main.ts");
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      script,
      images,
      join(BUILD, "cache"),
      join(native, "layer-tree"),
      bundles.runner,
      bundles.builder,
      bundles.installer,
      bundles.fetcher,
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const errors: string[] = [];
  createInterface({ input: child.stdout }).on("line", say);
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`making the base images failed:\n${errors.join("\n")}`);
}
