import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildNative, type Native, sanitizing } from "../../testing/native.ts";
import { type Driver, type DriverOptions, Ground } from "./ground.ts";
import { PRIVATE, PUBLIC, RESOLVER } from "./reach.ts";

/** A ground, the C of this package, and a list of resolvers that a test may write to. */
export interface Setting {
  readonly ground: Ground;
  readonly resolvConf: string;
  driver(options?: Pick<DriverOptions, "instance" | "hidden"> & DriverOptions["network"]): Promise<Driver>;
  close(): Promise<void>;
}

/** Its host forwards IPv6, unless told otherwise. With `sanitize` all C in drivers and their launchers is under sanitizers. */
export async function openSetting({ ipv6 = true, sanitize = false } = {}): Promise<Setting> {
  const dir = mkdtempSync(join(tmpdir(), "mayfly-network-"));
  const native: Native = buildNative(join(dir, "native"), sanitize);
  const resolvConf = join(dir, "resolv.conf");
  writeFileSync(resolvConf, `nameserver ${RESOLVER}\n`);
  const ground = await Ground.open([...PUBLIC, ...PRIVATE, RESOLVER]);
  if (ipv6) await ground.sh("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
  return {
    ground,
    resolvConf,
    driver: ({ instance, hidden, ...network } = {}) =>
      ground.driver({
        native,
        scratch: dir,
        network: { resolvConf, ...network },
        ...(instance === undefined ? {} : { instance }),
        ...(hidden === undefined ? {} : { hidden }),
        ...(sanitize ? { variables: sanitizing(native) } : {}),
      }),
    close: async () => {
      await ground.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
