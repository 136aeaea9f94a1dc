export { Catalog } from "./catalog.ts";
export { type LooseBlob, type Page, RegistryIndex, type RegistryManifest } from "./registry/registry-index.ts";
export { type Alias, type Build, type FunctionRow, LIVE, type Version } from "./row.ts";
