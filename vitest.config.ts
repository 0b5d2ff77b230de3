import { defineConfig } from "vitest/config";

/** Unit tests stand beside what they test; e2e/ belongs to Playwright. */
export default defineConfig({
  test: {
    include: ["engine/**/*.test.ts", "workers/**/*.test.ts", "web/**/*.test.ts", "samples/**/*.test.ts"],
    pool: "threads",
    // Both of the cores that a small machine has; nothing here is judged by its time.
    maxWorkers: 2,
    testTimeout: 30_000,
    // Tests of the real guest share two cores with it.
    retry: process.env.CI ? 1 : 0,
  },
});
