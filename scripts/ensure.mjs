// What a fresh clone lacks, found and made: packages, a browser, the build. Each function says what it does before it does it.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Runs a program in the project's folder with its output shown; throws when it fails. */
export function run(program, args, env = {}) {
  execFileSync(program, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
}

/** Runs a program of node_modules/.bin. */
export const runTool = (tool, ...args) => run(path.join(root, "node_modules/.bin", tool), args);

/** Installs the locked packages unless they are there and newer than the lock file. */
export function ensurePackages() {
  const mark = path.join(root, "node_modules/.package-lock.json");
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(path.join(root, "package-lock.json")).mtimeMs) return;
  console.log("Installing packages…");
  // Not `npm ci`: it insists on optional binaries for every platform, which registries do not always have at once.
  run("npm", ["install", "--no-audit", "--no-fund"]);
}

const browsers = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

function findBrowser() {
  const given = process.env.TERRARIUM_CHROMIUM;
  if (given) return given;
  const folders = (process.env.PATH ?? "").split(":");
  return browsers.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => existsSync(file));
}

/**
 * The path of a Chromium: $TERRARIUM_CHROMIUM, or the system's. On Debian, as root, one is installed when there is none;
 * elsewhere the error says what to install.
 */
export function ensureBrowser() {
  const found = findBrowser();
  if (found) return found;
  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) {
    console.log("Installing Chromium…");
    run("apt-get", ["update", "-q"]);
    run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "chromium"], {
      DEBIAN_FRONTEND: "noninteractive",
    });
    const installed = findBrowser();
    if (installed) return installed;
  }
  throw new Error("No Chromium found. Install one, or set TERRARIUM_CHROMIUM to its path.");
}

const sources = [
  "engine",
  "workers",
  "web",
  "samples",
  "scripts",
  "index.html",
  "package-lock.json",
  "vite.config.ts",
  "vite.cli.config.ts",
  "headers.json",
];

function newest(file) {
  if (!existsSync(file)) return 0;
  const stat = statSync(file);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(file).map((name) => newest(path.join(file, name))));
}

/** Builds dist/ unless it is newer than every source. */
export function ensureBuilt() {
  const built = newest(path.join(root, "dist/index.html"));
  if (built > Math.max(...sources.map((name) => newest(path.join(root, name))))) return;
  build();
}

/** Builds the page and the command-line program into dist/. */
export function build() {
  runTool("vite", "build", "--logLevel", "warn");
  runTool("vite", "build", "-c", "vite.cli.config.ts", "--logLevel", "warn");
}
