import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Digest } from "@mayfly/contract";
import type { ImageStore } from "../../image-store.ts";
import { TestStore } from "../../testing/store.ts";
import { type RegistryClient, type RegistryClientOptions, registryClient } from "../client.ts";
import type { CourierPrograms } from "../courier/process.ts";
import { type DockerRegistry, startDockerRegistry } from "./docker-registry.ts";
import { type Front, startFront, type Treatment } from "./front.ts";
import { makeImage } from "./images.ts";

const QUICK = { attempts: 4, first_ms: 5, most_ms: 20, longest_wait_ms: 2_000 };

export const MiB = 1024 * 1024;
export const skopeo = async (...args: string[]): Promise<string> => (await promisify(execFile)("skopeo", args)).stdout;
export const inspect = async (reference: string): Promise<Record<string, unknown>> =>
  JSON.parse(await skopeo("inspect", "--tls-verify=false", `docker://${reference}`));

/** Debian's docker-registry with a proxy before it, and a store of ours with images to push. */
export interface Peer {
  readonly registry: DockerRegistry;
  readonly front: Front;
  readonly ours: ImageStore;
  /** Of 3 layers, tagged `app:1`: 4 blobs. */
  readonly image: Digest;
  /** Of one layer of 4 MiB. */
  readonly large: Digest;
  client(store: ImageStore, options?: Partial<RegistryClientOptions>): RegistryClient;
  /** Pushes `image` to the proxy, and forgets the requests that this took. */
  pushed(name: string): Promise<void>;
  /** Treats the first requests that fit, and lets those after them pass. */
  treat(method: string, url: RegExp, treatment: Treatment, times?: number): void;
  /** For each test: nothing was seen, nothing is treated. */
  reset(): void;
  close(): Promise<void>;
}

/** @param courier who speaks for our clients; they do it themselves when there is none */
export async function startPeer(courier?: CourierPrograms): Promise<Peer> {
  const registry = await startDockerRegistry();
  const front = await startFront(registry.host);
  const test = await TestStore.open();
  const ours = test.store;
  const [image, large] = [await makeImage(ours, 3, 20_000), await makeImage(ours, 1, 4 * MiB)];
  await ours.tag("app:1", image);
  const client: Peer["client"] = (store, options = {}) =>
    registryClient({ store, retry: QUICK, ...(courier && { courier }), ...options });
  return {
    ...{ registry, front, ours, image, large, client },
    async pushed(name) {
      await client(ours).push("app:1", `${front.host}/${name}`);
      front.seen.length = 0;
    },
    treat(method, url, treatment, times = 1) {
      let left = times;
      front.treat = (seen) => {
        if (seen.method !== method || !url.test(seen.url) || left === 0) return undefined;
        left -= 1;
        return treatment;
      };
    },
    reset() {
      front.seen.length = 0;
      front.treat = () => undefined;
    },
    async close() {
      front.close();
      await registry.close();
      await test.remove();
    },
  };
}
