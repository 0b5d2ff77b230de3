import { defineConfig } from "vitest/config";

/** Unit tests stand beside what they test; e2e/ belongs to Playwright. */
export default defineConfig({
  test: {
    include: ["engine/**/*.test.ts", "workers/**/*.test.ts", "web/**/*.test.ts", "samples/**/*.test.ts"],
    pool: "threads",
    // Tests of the real guest share two cores with it.
    retry: process.env.CI ? 1 : 0,
  },
});
