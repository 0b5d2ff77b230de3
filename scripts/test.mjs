// `npm test`: everything a change must pass, on a fresh clone too. The first failure ends it.
import { build, ensureBrowser, ensurePackages, run, runTool } from "./ensure.mjs";

const steps = {
  types: () => runTool("tsc", "-b"),
  lint: () => {
    runTool("oxlint", "--quiet");
    runTool("prettier", "--check", "--log-level", "warn", ".");
    runTool("knip", "--no-progress");
  },
  unit: () => runTool("vitest", "run", "--reporter=dot"),
  build: () => build(),
  e2e: () => run("node_modules/.bin/playwright", ["test"], { TERRARIUM_CHROMIUM: ensureBrowser() }),
};

ensurePackages();
const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(steps)) {
  const started = Date.now();
  console.log(`\n── ${name}`);
  steps[name]();
  console.log(`── ${name}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}
