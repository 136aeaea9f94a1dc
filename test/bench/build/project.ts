import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SOURCES = 100;
const SOURCE_BYTES = 4096;
const ASSET_BYTES = 1024 * 1024;

/** Eight steps over a base: what a small service has. `edit` is a line in the midst of it. */
export const dockerfile = (edit: string): string => `FROM busybox
WORKDIR /app
COPY dependencies ./
RUN mkdir modules && for n in $(seq 200); do echo "module $n" > modules/$n; done
COPY src ./src
RUN cat src/* > bundle && sha256sum bundle > bundle.sha256 ${edit}
RUN echo 'app:x:1100:1100::/app:/bin/sh' >> /etc/passwd && echo 'app:x:1100:' >> /etc/group
COPY --chown=1100:1100 assets ./assets
CMD ["cat", "/app/bundle"]
`;

/** The context, in files that do not compress to nothing. */
export function writeProject(dir: string): void {
  for (const folder of ["src", "assets"]) mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(
    join(dir, "dependencies"),
    Array.from({ length: 100 }, (_, at) => `dependency-${at}@1.${at}\n`).join(""),
  );
  for (let at = 0; at < SOURCES; at += 1) writeFileSync(join(dir, "src", `${at}.js`), noise(at, SOURCE_BYTES));
  writeFileSync(join(dir, "assets", "image"), noise(SOURCES, ASSET_BYTES));
  writeFileSync(join(dir, "Dockerfile"), dockerfile(""));
}

/** The same in every run. */
function noise(seed: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let at = 0, state = seed * 2_654_435_761 + 1; at < bytes; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    buffer[at] = 32 + (state >>> 26);
  }
  return buffer;
}
