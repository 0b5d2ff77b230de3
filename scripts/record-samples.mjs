/**
 * Records what C++ Nix makes of the samples, as goldens for the engine's own tests.
 *
 *   NIX_ORACLE=DIR/bin node scripts/record-samples.mjs [--check] [EXAMPLE…]   engine/testdata/samples/EXAMPLE.json
 *   node scripts/record-samples.mjs --seeds                                    samples/channel/seeds.json (after a seed changed)
 *
 * A golden holds, for the example's system: drvPath and outPath, the SHA-256 of every .drv file in its closure, and hash, size
 * and references of every store path that the natively built system consists of. `--check` builds everything twice. The package
 * set's software comes from web/public/cache (scripts/record-cache.mjs).
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, mkdtempSync } from "node:fs";
import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const channel = join(project, "samples/channel");
const oracle = process.env.NIX_ORACLE;

const words = process.argv.slice(2);
const examples = words.filter((word) => !word.startsWith("--"));
if (words.includes("--seeds")) recordSeeds();
else
  recordExamples(
    examples.length > 0 ? examples : readdirSync(join(project, "samples/examples")),
    words.includes("--check"),
  );

/** Runs one of Nix's programs on a store of its own below `root`. */
function nix(root, program, ...argv) {
  if (oracle === undefined) throw new Error("NIX_ORACLE must name the directory of C++ Nix's programs");
  const options = ["--option", "system", "i686-linux", "--extra-experimental-features", "nix-command"];
  const cache = join(project, "web/public/cache");
  options.push("--option", "substituters", `file://${cache}`);
  options.push("--option", "trusted-public-keys", readFileSync(join(cache, "public-key"), "utf8").trim());
  return execFileSync(join(oracle, program), [...argv, ...options], {
    encoding: "utf8",
    env: { ...process.env, NIX_REMOTE: `local?root=${root}`, NIX_PATH: `nixpkgs=${channel}` },
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

function recordExamples(names, check) {
  const root = mkdtempSync(join(tmpdir(), "record-samples-"));
  const target = join(project, "engine/testdata/samples");
  mkdirSync(target, { recursive: true });
  for (const name of names.sort()) {
    const golden = recordExample(root, name, check);
    writeFileSync(join(target, `${name}.json`), `${JSON.stringify(golden, null, 1)}\n`);
    const built = golden.paths ? `${Object.keys(golden.paths).length} paths` : "not built";
    console.log(`${name}: ${golden.drvPath ?? golden.error} (${built})`);
  }
  execFileSync("chmod", ["-R", "u+w", root]);
  rmSync(root, { recursive: true, force: true });
}

/** The golden of one example; `error` where evaluation fails, as some examples mean to. */
function recordExample(root, name, check) {
  const folder = join(project, "samples/examples", name);
  const { entry, files } = JSON.parse(readFileSync(join(folder, "example.json"), "utf8"));
  const argv = ["<nixpkgs/nixos>", "--arg", "configuration", join(folder, entry), "-A", "system"];
  let drvPath;
  try {
    drvPath = nix(root, "nix-instantiate", ...argv)
      .split("\n")
      .at(-1);
  } catch (failure) {
    return { example: name, files, error: errorOf(failure.stderr, folder) };
  }
  const derivations = {};
  for (const path of nix(root, "nix-store", "--query", "--requisites", drvPath).split("\n").sort()) {
    if (path.endsWith(".drv"))
      derivations[path] = createHash("sha256")
        .update(readFileSync(root + path))
        .digest("hex");
  }
  const outPath = nix(root, "nix-store", "--query", "--outputs", drvPath);
  return { example: name, files, drvPath, outPath, derivations, paths: build(root, drvPath, check) };
}

/** Every path of the built system, or null when a builder fails, as one example means to. */
function build(root, drvPath, check) {
  let outPath;
  try {
    outPath = nix(root, "nix-store", "--realise", drvPath).split("\n").at(-1);
  } catch {
    return null;
  }
  if (check) {
    const drvs = nix(root, "nix-store", "--query", "--requisites", drvPath).split("\n");
    nix(root, "nix-store", "--realise", "--check", ...drvs.filter((path) => path.endsWith(".drv")));
  }
  const infos = JSON.parse(nix(root, "nix", "path-info", "--recursive", "--json", outPath));
  const paths = {};
  for (const [path, info] of Object.entries(infos).sort(([left], [right]) => (left < right ? -1 : 1))) {
    const { narHash, narSize, references } = info;
    paths[path] = { narHash, narSize, references: references.sort() };
  }
  return paths;
}

/** The last paragraph of Nix's message, without the place where this copy of the project lies. */
function errorOf(stderr, folder) {
  const text = String(stderr).replaceAll(folder, "<example>").replaceAll(channel, "<nixpkgs>");
  return text.slice(text.lastIndexOf("error:")).trim();
}

function recordSeeds() {
  const file = join(channel, "seeds.json");
  const seeds = {};
  for (const directory of readdirSync(join(channel, "seeds")).sort()) {
    const path = join(channel, "seeds", directory);
    const hash = createHash("sha256");
    hash.update(narString("nix-archive-1"));
    hashNar(hash, path);
    const sha256 = `sha256-${hash.digest("base64")}`;
    seeds[directory] = { name: directory, version: versionOf(directory, path, file), sha256 };
  }
  const lines = Object.entries(seeds).map(([name, seed]) => `  ${JSON.stringify(name)}: ${JSON.stringify(seed)}`);
  writeFileSync(file, `{\n${lines.join(",\n")}\n}\n`);
}

/** A string as archives have it: its length in 8 bytes, itself, and zeros up to a multiple of 8. */
function narString(text) {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
}

/** The archive of a file, a link or a folder, into a hash. */
function hashNar(hash, path) {
  const status = lstatSync(path);
  const put = (...strings) => strings.forEach((text) => hash.update(narString(text)));
  put("(", "type");
  if (status.isSymbolicLink()) put("symlink", "target", readlinkSync(path));
  else if (status.isFile()) {
    put("regular");
    if ((status.mode & 0o100) !== 0) put("executable", "");
    put("contents", readFileSync(path));
  } else {
    put("directory");
    for (const name of readdirSync(path).sort()) {
      put("entry", "(", "name", name, "node");
      hashNar(hash, join(path, name));
      put(")");
    }
  }
  put(")");
}

/** The version a binary says itself; for our own program the one written down before. */
function versionOf(name, path, file) {
  if (name === "busybox") {
    const text = readFileSync(join(path, "bin/busybox"), "latin1");
    return /BusyBox v([0-9.]+)/.exec(text)[1];
  }
  if (name === "linux") {
    const image = readFileSync(join(path, "bzImage"));
    const at = image.readUInt16LE(0x20e) + 0x200;
    return /^[0-9.]+/.exec(image.toString("latin1", at, at + 64))[0];
  }
  return (existsSync(file) && JSON.parse(readFileSync(file, "utf8"))[name]?.version) || "1.0";
}
