export { BASE_IMAGE, BUILDER_IMAGE } from "./build/build.ts";
