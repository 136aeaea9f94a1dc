export {
  BUILD_LIMITS,
  BUILDER_PATH,
  type BuildCodeInput,
  type BuiltCode,
  buildCode,
  builderCommand,
} from "./build-code.ts";
export { type BuildDockerfileInput, buildDockerfileSource, tarHoldsDockerfile } from "./build-dockerfile.ts";
export { type BuildImageInput, buildImage } from "./build-image.ts";
export { type Account, accountOf } from "./dockerfile/execute/accounts.ts";
export { DirectoryCache } from "./dockerfile/execute/directory-cache.ts";
export type { RunProgram, RunRequest } from "./dockerfile/execute/ports.ts";
export { ignoreFilesFor, readIgnoreFile } from "./dockerfile/ignore/file.ts";
export { BuildStopped } from "./fault.ts";
export { type BringInput, type Brought, bringReferenced, bringZip } from "./fetch/source.ts";
export type { BoxRequest, BoxSession, BoxUsage, OpenBox, ServerContract, TryServer } from "./session.ts";
