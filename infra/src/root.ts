import { dirname, join } from "node:path";

/** Top of the clone. */
export const ROOT = dirname(dirname(import.meta.dirname));
/** What is made from the sources and not kept in git. */
export const BUILD = join(ROOT, "build");
