export { type Alias, type Build, Catalog, type FunctionRow, LIVE, type Version } from "./catalog.ts";
