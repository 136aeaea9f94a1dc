import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);

/**
 * The exports of a module. `require` reads an ES module at once, without the threads that `import` waits for; what has a top-level
 * await, which only `import` takes, is refused before any of it has run.
 */
export async function loadModule(path: string): Promise<Record<string, unknown>> {
  try {
    return require(path) as Record<string, unknown>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_REQUIRE_ASYNC_MODULE") throw error;
    return import(pathToFileURL(path).href);
  }
}
