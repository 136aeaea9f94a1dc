import type { DirectoryCache } from "@mayfly/build";
import type { BoxHost } from "@mayfly/container";
import type { CourierPrograms, ImageStore, Importer } from "@mayfly/image";
import type { PriceTable, Spool } from "@mayfly/ledger";
import type { Logger } from "pino";
import type { KeptBoxes } from "./boxes/kept-boxes.ts";
import type { CacheUpkeep } from "./build/cache-upkeep.ts";
import type { MountCaches } from "./build/mount-caches.ts";
import type { BuildSurroundings } from "./build/surroundings.ts";
import type { WaitingBox } from "./build/waiting-box.ts";
import type { Clock } from "./clock.ts";
import type { InUse } from "./images/in-use.ts";
import type { Roots } from "./images/roots.ts";
import type { Notes } from "./invoke/note.ts";
import type { NurseryKeeper } from "./nursery/keeper.ts";
import type { Shipper } from "./outbox/shipper.ts";
import type { ImagePrograms } from "./program/image-program.ts";
import type { ReadyBoxes } from "./ready/ready-boxes.ts";

/** What the jobs need, put together once in main.ts. */
export interface WorkerDeps {
  readonly host: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly boxes: BoxHost;
  readonly store: ImageStore;
  /** Where programs of builds write: on disk, and root's own. */
  readonly scratch: string;
  /** Where the gateway on this host puts sources. */
  readonly uploads: string;
  /** Brings images from the registry into the store. */
  readonly importer: Importer;
  /** What programs of builds get besides. */
  readonly surroundings: BuildSurroundings;
  /** Who speaks with registries of others in our place. */
  readonly courier: CourierPrograms;
  /** Where names without a registry's host are looked for; null: the operator did not say. */
  readonly registries: readonly string[] | null;
  /** What builds of Dockerfiles remember. */
  readonly buildCache: DirectoryCache;
  /** What their programs keep from build to build. */
  readonly mountCaches: MountCaches;
  readonly cacheUpkeep: Pick<CacheUpkeep, "look">;
  readonly roots: Roots;
  readonly programs: Pick<ImagePrograms, "of">;
  /** Whoever makes a box holds its image; whoever makes an image says so. */
  readonly inUse: InUse;
  readonly builders: Pick<WaitingBox, "take">;
  readonly nursery: Pick<NurseryKeeper, "forRoot">;
  readonly ready: Pick<ReadyBoxes, "begin">;
  readonly kept: KeptBoxes;
  readonly notes: Notes;
  readonly spool: Spool;
  readonly shipper: Shipper;
  readonly priceTable: PriceTable;
}
