import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{apps,libs,infra,test}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/fixtures/**"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Boxes, cgroups and two cores are shared: one file at a time keeps timings and leak counts honest.
    fileParallelism: false,
    pool: "forks",
  },
});
