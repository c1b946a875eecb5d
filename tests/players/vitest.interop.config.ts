import { defineConfig } from "vitest/config";

// One after another: what plays in time wants the machine for itself. Pages of a browser can do with a third of it.
export default defineConfig({
  test: {
    include: ["interop/*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    maxConcurrency: 3,
    testTimeout: 150_000,
    hookTimeout: 60_000,
    reporters: ["verbose", "./interop/table.ts"],
  },
});
