export { Catalog } from "./catalog.ts";
export { type Alias, type Build, type FunctionRow, LIVE, type Version } from "./row.ts";
