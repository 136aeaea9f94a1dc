import { FIXED_LIMITS } from "@mayfly/contract";
import type { Logger } from "pino";
import type { RegistryStore } from "./store.ts";

const EVERY_MS = 30 * 60_000;
/** Longer than anybody takes between a blob and the manifest that names it. */
const LOOSE_MS = 24 * 3_600_000;

/** Sweeps the registry now and then: uploads that were given up, blobs that nothing came to name. */
export function keepSwept(store: RegistryStore, log: Logger): { stop(): Promise<void> } {
  let sweeping = Promise.resolve();
  const sweep = () => {
    const now = Date.now();
    sweeping = store
      .sweep({ blobs: new Date(now - LOOSE_MS), uploads: new Date(now - FIXED_LIMITS.upload_idle_ms) })
      .catch((error) => log.error({ err: error }, "the registry cannot be swept"));
  };
  const timer = setInterval(sweep, EVERY_MS);
  sweep();
  return {
    stop() {
      clearInterval(timer);
      return sweeping;
    },
  };
}
