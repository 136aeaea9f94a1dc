export {
  BUILD_LIMITS,
  BUILDER_PATH,
  type BuildCodeInput,
  type BuiltCode,
  buildCode,
  builderCommand,
} from "./build-code.ts";
export { type BuildImageInput, buildImage } from "./build-image.ts";
export type { BoxRequest, BoxSession, OpenBox } from "./session.ts";
