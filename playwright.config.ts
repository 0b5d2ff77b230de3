import { defineConfig } from "@playwright/test";

const port = Number(process.env.TERRARIUM_PORT ?? 4180);

/** Journeys in a real Chromium with the real machine. One worker: the machine needs a core of its own. */
export default defineConfig({
  testDir: "e2e",
  testMatch: "**/*.spec.ts",
  fullyParallel: false,
  workers: 1,
  // On a shared machine of two cores one slow start is no defect; two in a row are.
  retries: process.env.CI ? 1 : 0,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  outputDir: ".cache/playwright",
  use: {
    baseURL: `http://127.0.0.1:${port}/`,
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      executablePath: process.env.TERRARIUM_CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  webServer: { command: `node scripts/serve.mjs --port ${port}`, port, reuseExistingServer: !process.env.CI },
});
