import type { Catalog } from "@mayfly/catalog";
import type { BoxRequestId, BoxTask, ImageRequestId, ImageTask } from "@mayfly/contract";
import type { Ledger, PriceTable } from "@mayfly/ledger";
import type { FrameChannel, Producer } from "@mayfly/queue";
import type { Logger } from "pino";
import type { CallRegistry } from "./calls/registry.ts";
import type { BuildLogs } from "./deploy/build-logs.ts";
import type { BuildSecrets } from "./deploy/build-secrets.ts";
import type { BuildWorkers } from "./deploy/build-workers.ts";
import type { Published } from "./registry/published.ts";
import type { RegistryStore } from "./registry/store.ts";
import type { Requests } from "./requests/requests.ts";
import type { Waiters } from "./waiters.ts";

/** What the routes need, put together once in main.ts. */
export interface GatewayDeps {
  readonly key: string;
  /** Where the data channel listens, as workers reach it. */
  readonly channel: string;
  readonly uploads: string;
  readonly queueLimit: number;
  readonly log: Logger;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  /** Images that were pushed here. */
  readonly registry: RegistryStore;
  /** Images of the workers, shown in the registry. */
  readonly published: Published;
  /** What is wanted of the workers' images. */
  readonly images: Requests<ImageTask, ImageRequestId>;
  /** What is wanted of the workers' kept boxes. */
  readonly boxes: Requests<BoxTask, BoxRequestId>;
  readonly producer: Producer;
  readonly calls: CallRegistry;
  readonly builds: BuildLogs;
  readonly secrets: BuildSecrets;
  readonly building: BuildWorkers;
  /** Told of each invocation and build that has settled, by its id. */
  readonly settled: Waiters;
  readonly priceTable: PriceTable;
  /** Outboxes of workers that are connected now. */
  readonly workers: Set<FrameChannel>;
}
