import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/**/*.test.ts",
      "tools/**/*.test.ts",
      "examples/**/*.test.ts",
      "bench/**/*.test.ts",
      "sim/**/*.test.ts",
      "tests/**/*.test.ts",
    ],
    // Processes, not threads: tests open worker threads, SQLite files and signal handlers of their own.
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
