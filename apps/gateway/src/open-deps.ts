import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Catalog } from "@mayfly/catalog";
import { newBoxRequestId, newImageRequestId } from "@mayfly/contract";
import { defaultPriceTable, Ledger } from "@mayfly/ledger";
import { createProducer } from "@mayfly/queue";
import type { Logger } from "pino";
import { CallRegistry } from "./calls/registry.ts";
import { BuildLogs } from "./deploy/build-logs.ts";
import { BuildSecrets } from "./deploy/build-secrets.ts";
import { BuildWorkers } from "./deploy/build-workers.ts";
import type { GatewayDeps } from "./deps.ts";
import type { GatewayEnv } from "./env.ts";
import { Published } from "./registry/published.ts";
import { RegistryStore } from "./registry/store.ts";
import { Requests } from "./requests/requests.ts";
import { Waiters } from "./waiters.ts";

/** Opens what lies under the home and reaches for Redis. @throws Error naming the file that cannot be used */
export async function openDeps(
  env: Pick<GatewayEnv, "home" | "key" | "channel" | "queueLimit" | "redis" | "prefix">,
  log: Logger,
): Promise<GatewayDeps> {
  const data = join(env.home, "data");
  const uploads = join(env.home, "uploads");
  for (const dir of [data, uploads]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  const catalog = await Catalog.open(join(data, "catalog.sqlite"));
  const registry = await RegistryStore.open(join(env.home, "registry"));
  const producer = createProducer({
    redis: env.redis,
    prefix: env.prefix,
    onError: (error) => log.warn({ err: error.message }, "queue"),
  });
  const workers: GatewayDeps["workers"] = new Set();
  return {
    key: env.key,
    channel: env.channel,
    uploads,
    queueLimit: env.queueLimit,
    log,
    catalog,
    ledger: await Ledger.open(join(data, "ledger.sqlite")),
    registry,
    published: new Published({ store: registry, catalog, producer, channel: env.channel, workers, log }),
    images: new Requests({
      ...{ what: "images", newId: newImageRequestId, channel: env.channel, workers },
      ...{ add: producer.image, remove: producer.removeImage },
    }),
    boxes: new Requests({
      ...{ what: "boxes", newId: newBoxRequestId, channel: env.channel, workers },
      ...{ add: producer.box, remove: producer.removeBox },
    }),
    producer,
    calls: new CallRegistry(),
    builds: new BuildLogs(),
    secrets: new BuildSecrets(),
    building: new BuildWorkers(),
    settled: new Waiters(),
    priceTable: defaultPriceTable(),
    workers,
  };
}

export async function closeDeps(deps: GatewayDeps): Promise<void> {
  // Redis may be gone, and closing asks it.
  await Promise.race([deps.producer.close(), new Promise((resolve) => setTimeout(resolve, 1_000))]);
  await deps.catalog.close();
  await deps.ledger.close();
  await deps.registry.close();
}
