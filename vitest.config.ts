import { defineConfig } from "vitest/config";

/** Tests that make no box, start no service and measure nothing: their files run side by side, beside the second kernel. */
const PURE = [
  "{apps/cli,libs/contract,libs/catalog,libs/ledger,libs/sqlite}/**/*.test.ts",
  "libs/build/src/dockerfile/{source,lines,nodes,instructions,expand,ignore,lint,plan,copy,files}/**/*.test.ts",
  "{test/house,apps/worker/src/program,apps/worker/src/ready}/**/*.test.ts",
];
/** Tests that make no box, but wait for disks and for programs of their own: two files at a time. */
const WAITING = ["{libs/image,libs/runtime}/**/*.test.ts"];
/** Who measures memory is alone. */
const ALONE = ["libs/image/src/registry/trouble.test.ts", "libs/image/src/archive/memory.test.ts"];
const NEVER = ["**/node_modules/**", "**/fixtures/**"];

export default defineConfig({
  test: {
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: { name: "pure", include: PURE, exclude: NEVER, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: "waiting",
          include: WAITING,
          exclude: [...NEVER, ...ALONE],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "real",
          include: ["{apps,infra,test}/**/*.test.ts", "libs/!(image|runtime)/**/*.test.ts", ...ALONE],
          exclude: [...NEVER, ...PURE],
          // Boxes, cgroups and two cores are shared: one file at a time keeps timings and leak counts honest.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
