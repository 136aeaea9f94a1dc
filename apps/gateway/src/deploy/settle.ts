import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { GatewayDeps } from "../deps.ts";

/** A build has ended, in whatever way, and the catalog knows: what was kept for it goes, and whoever waits is told. */
export async function settleBuild(id: string, deps: GatewayDeps): Promise<void> {
  await rm(join(deps.uploads, id), { force: true });
  deps.secrets.forget(id);
  deps.builds.end(id);
  deps.settled.tell(id);
}
