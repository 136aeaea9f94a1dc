import { closeSync } from "node:fs";
import type { Addon } from "../addon.ts";
import type { Lease } from "./namespaces.ts";

/** A namespace with loopback alone, for a box in which we listen before its program starts. @throws with the kernel's code */
export async function loopbackLease(addon: Pick<Addon, "makeNamespace">): Promise<Lease> {
  const fd = await addon.makeNamespace();
  let isOpen = true;
  return {
    fd,
    resolvConf: null,
    release: async () => {
      if (isOpen) closeSync(fd);
      isOpen = false;
      // A measured zero: there is no way out of it.
      return { net_rx_bytes: 0, net_tx_bytes: 0 };
    },
  };
}
