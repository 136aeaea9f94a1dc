export { BUILD_LIMITS, type BuildCodeInput, type BuiltCode, buildCode } from "./build-code.ts";
export type { BoxRequest, BoxSession, OpenBox } from "./session.ts";
