import { defineConfig } from "vitest/config";

// Each file has a server, an encoder and four players in a browser: one file at a time is what two cores can do.
export default defineConfig({
  test: {
    include: ["*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    maxConcurrency: 8,
    testTimeout: 90_000,
    hookTimeout: 60_000,
    reporters: ["verbose"],
  },
});
