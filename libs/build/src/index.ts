export {
  BUILD_LIMITS,
  BUILDER_PATH,
  type BuildCodeInput,
  type BuiltCode,
  buildCode,
  builderCommand,
} from "./build-code.ts";
export { type BuildImageInput, buildImage } from "./build-image.ts";
export { type Account, accountOf } from "./dockerfile/execute/accounts.ts";
export type { BoxRequest, BoxSession, OpenBox } from "./session.ts";
