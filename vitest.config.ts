import { defineConfig } from "vitest/config";

/** Tests that make no box and measure no time: their files run side by side, beside the second kernel. */
const PURE = [
  "{apps/cli,libs/contract,libs/catalog,libs/image,libs/ledger,libs/runtime,libs/sqlite}/**/*.test.ts",
  "libs/build/src/dockerfile/{source,lines,nodes,instructions,expand,ignore,lint,plan,copy,files}/**/*.test.ts",
  "{test/house,apps/worker/src/program,apps/worker/src/ready}/**/*.test.ts",
];
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
          name: "real",
          include: ["{apps,libs,infra,test}/**/*.test.ts"],
          exclude: [...NEVER, ...PURE],
          // Boxes, cgroups and two cores are shared: one file at a time keeps timings and leak counts honest.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
