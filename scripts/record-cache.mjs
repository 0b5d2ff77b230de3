/**
 * Builds the package set's real software with C++ Nix and writes it as a signed binary cache, web/public/cache: what the page and
 * `terrarium nix-build --option substituters file://…` fetch from instead of building.
 *
 *   NIX_ORACLE=DIR/bin node scripts/record-cache.mjs [--check]      as root, with the network
 *
 * 1. Every .deb that samples/channel/pkgs/debian/packages.json names is downloaded from a mirror (scripts/debian-mirror.mjs) and its hash
 *    checked; Nix finds them by hash (its setting `hashed-mirrors`).
 * 2. All packages are built, with `--check` twice.
 * 3. They are copied to the cache and signed. The key lies in the work folder, CACHE_WORK; without that it is made for this run and
 *    gone after it. Only its public half is kept (public-key). `paths` lists the hash parts of all paths, so that nobody has to ask
 *    for what is not there.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { debianMirrors } from "./debian-mirror.mjs";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const channel = join(project, "samples/channel");
const cache = join(project, "web/public/cache");
const oracle = process.env.NIX_ORACLE;
if (oracle === undefined) throw new Error("NIX_ORACLE must name the directory of C++ Nix's programs");
const work = process.env.CACHE_WORK ?? mkdtempSync(join(tmpdir(), "record-cache-"));

const mirrors = debianMirrors();

/** What people ask for, and what their own packages are built with. */
const packages =
  "bash coreutils curl diffutils findutils gawk glibc glibcHeaders gnugrep gnumake gnupatch gnused gnutar gzip hello-gnu jq less musl-x86_64 nano nginx patchelf sqlite tinycc tinycc-x86_64 xz stdenv.setup crossStdenv.setup".split(
    " ",
  );
/** Seeds that are too large to be in the cache: what is made of them is there, and who wants to make it again downloads them. */
const withoutSeeds = new Set(["coreutils", "glibc-dev", "libcurl", "openssl"]);

async function download({ file, hash }) {
  const hex = Buffer.from(hash.slice("sha256-".length), "base64").toString("hex");
  const target = join(work, "sha256", hex);
  if (existsSync(target)) return;
  for (const mirror of mirrors) {
    const response = await fetch(`${mirror}/pool/main/${file}`);
    if (!response.ok) continue;
    const bytes = Buffer.from(await response.arrayBuffer());
    if (createHash("sha256").update(bytes).digest("hex") !== hex) throw new Error(`${file} has another hash`);
    writeFileSync(target, bytes);
    return;
  }
  throw new Error(`${file} is on no mirror`);
}

/** One of Nix's programs, on the store below the work folder. Not synchronous: it downloads from this process. */
function nix(port, program, ...argv) {
  const options = ["system", "i686-linux", "hashed-mirrors", `http://127.0.0.1:${port}/`];
  const words = [...argv, "--extra-experimental-features", "nix-command"];
  for (let at = 0; at < options.length; at += 2) words.push("--option", options[at], options[at + 1]);
  const child = spawn(join(oracle, program), words, {
    env: { ...process.env, NIX_REMOTE: `local?root=${join(work, "root")}`, NIX_PATH: `nixpkgs=${channel}` },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (piece) => (text += piece));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve(text.trim().split("\n")) : reject(new Error(`${program} ${argv[0]} ended with ${code}`)),
    );
  });
}

/** The fixed-output derivations among some derivations: the seeds. */
const isSeed = (drvPath) => /\.(deb|tar\.\w+)\.drv$/.test(drvPath);

/** The paths of everything that is made, with all it refers to, and of the seeds. */
async function build(port) {
  const attributes = packages.flatMap((name) => ["-A", name]);
  const drvPaths = await nix(port, "nix-instantiate", "<nixpkgs>", ...attributes);
  await nix(port, "nix-store", "--realise", ...drvPaths);
  const all = (await nix(port, "nix-store", "--query", "--requisites", ...drvPaths)).filter((path) =>
    path.endsWith(".drv"),
  );
  const made = all.filter((path) => !isSeed(path));
  if (process.argv.includes("--check")) await nix(port, "nix-store", "--realise", "--check", ...made);

  // A .deb is compressed already.
  const users = made.filter((path) => ![...withoutSeeds].some((name) => path.includes(`-${name}-`)));
  const seeds = new Set((await nix(port, "nix-store", "--query", "--references", ...users)).filter(isSeed));
  return {
    made: await nix(port, "nix-store", "--query", "--requisites", ...(await outputsOf(port, made))),
    seeds: await outputsOf(port, [...seeds]),
  };
}

const outputsOf = (port, drvPaths) => nix(port, "nix-store", "--query", "--outputs", ...drvPaths);

/** The file with the secret key, of an earlier run if the work folder is one's own. */
async function secretKey(port) {
  const file = join(work, "secret-key");
  if (!existsSync(file)) {
    const [secret] = await nix(port, "nix", "key", "generate-secret", "--key-name", "terrarium-packages-1");
    writeFileSync(file, secret, { mode: 0o600 });
  }
  return file;
}

function publicHalf(secretFile) {
  const words = ["key", "convert-secret-to-public", "--extra-experimental-features", "nix-command"];
  return execFileSync(join(oracle, "nix"), words, { input: readFileSync(secretFile), encoding: "utf8" }).trim();
}

/** Deletes what an earlier run left and nobody wants any more, or what another key signed. */
function prune(wanted, publicKey) {
  const sameKey =
    existsSync(join(cache, "public-key")) && readFileSync(join(cache, "public-key"), "utf8").trim() === publicKey;
  if (!sameKey) rmSync(cache, { recursive: true, force: true });
  if (!sameKey) return;
  for (const name of readdirSync(cache).filter((each) => each.endsWith(".narinfo"))) {
    if (wanted.has(name.slice(0, 32))) continue;
    const [, url] = /^URL: (.*)$/m.exec(readFileSync(join(cache, name), "utf8"));
    rmSync(join(cache, url), { force: true });
    rmSync(join(cache, name));
  }
}

async function write(port, { made, seeds }) {
  const secretFile = await secretKey(port);
  const publicKey = publicHalf(secretFile);
  const hashParts = [...made, ...seeds].map((path) => path.slice("/nix/store/".length, "/nix/store/".length + 32));
  prune(new Set(hashParts), publicKey);
  mkdirSync(cache, { recursive: true });
  const settings = `compression-level=9&secret-key=${secretFile}`;
  await nix(port, "nix", "copy", "--to", `file://${cache}?compression=xz&${settings}`, ...made);
  await nix(port, "nix", "copy", "--to", `file://${cache}?compression=none&${settings}`, ...seeds);
  rmSync(join(cache, "realisations"), { recursive: true, force: true });
  const lines = [...new Set(hashParts)].sort().map((hash) => `${hash}\n`);
  writeFileSync(join(cache, "paths"), lines.join(""));
  writeFileSync(join(cache, "public-key"), `${publicKey}\n`);
  const comment = "/** Whose signature the package cache's paths carry; written by scripts/record-cache.mjs. */";
  const source = `${comment}\nexport const packageKey = "${publicKey}";\n`;
  writeFileSync(join(project, "workers/store/package-key.ts"), source);
  console.log(`${lines.length} paths, signed for ${publicKey}`);
}

mkdirSync(join(work, "sha256"), { recursive: true });
const frozen = JSON.parse(readFileSync(join(channel, "pkgs/debian/packages.json"), "utf8"));
for (const entry of Object.values(frozen)) await download(entry);
const server = createServer((request, response) => {
  const file = join(work, new URL(request.url, "http://localhost").pathname);
  if (!/^\/sha256\/[0-9a-f]{64}$/.test(request.url) || !existsSync(file)) return response.writeHead(404).end();
  return response.end(readFileSync(file));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
try {
  const { port } = server.address();
  await write(port, await build(port));
} finally {
  server.close();
  if (process.env.CACHE_WORK === undefined) execFileSync("sh", ["-c", `chmod -R u+w ${work}; rm -rf ${work}`]);
}
