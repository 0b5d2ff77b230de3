/**
 * Freezes Debian packages as seeds of the package set: file, version and SHA-256 of each, in samples/channel/pkgs/debian/packages.json.
 *
 *   node scripts/record-debian.mjs [NAME…]    on Debian 12; NAMEs join the list, the others are looked up anew
 *
 * A NAME is a package of i386, `NAME:amd64` one of another architecture, `source:NAME` the upstream archive of a source package. apt
 * verifies the release's signature; its lists are kept in a folder of their own and no file of the system is changed.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { debianMirrors } from "./debian-mirror.mjs";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(project, "samples/channel/pkgs/debian/packages.json");
const work = mkdtempSync(join(tmpdir(), "record-debian-"));

/** apt for i386 with lists below `work`. */
function apt(program, ...argv) {
  const settings = {
    "Dir::State": join(work, "state"),
    "Dir::State::status": "/dev/null",
    "Dir::Cache": join(work, "cache"),
    "Dir::Etc::SourceList": join(work, "sources.list"),
    "Dir::Etc::SourceParts": "/dev/null",
    "APT::Architecture": "i386",
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
  };
  const architectures = ["i386", "amd64"].flatMap((name) => ["-o", `APT::Architectures::=${name}`]);
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  return execFileSync(program, [...architectures, ...options, "-q", ...argv], { encoding: "utf8", maxBuffer: 1 << 28 });
}

function prepare() {
  for (const folder of ["state/lists/partial", "cache/archives/partial"])
    mkdirSync(join(work, folder), { recursive: true });
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const [mirror] = debianMirrors();
  const line = (type) => `${type} [signed-by=${keyring}] ${mirror} bookworm main\n`;
  writeFileSync(join(work, "sources.list"), line("deb") + line("deb-src"));
  apt("apt-get", "update");
}

const sri = (hex) => `sha256-${Buffer.from(hex, "hex").toString("base64")}`;

function field(text, name) {
  const found = new RegExp(`^${name}: (.*)$`, "m").exec(text);
  if (found === null) throw new Error(`no ${name} in\n${text}`);
  return found[1];
}

function look(name) {
  if (!name.startsWith("source:")) {
    const text = apt("apt-cache", "show", "--no-all-versions", name);
    return { file: field(text, "Filename"), version: field(text, "Version"), hash: sri(field(text, "SHA256")) };
  }
  const text = apt("apt-cache", "showsrc", "--only-source", name.slice("source:".length));
  const [, hash, file] = /^ ([0-9a-f]{64}) \d+ (\S+\.orig\.tar\.\w+)$/m.exec(text);
  return { file: `${field(text, "Directory")}/${file}`, version: field(text, "Version"), hash: sri(hash) };
}

const before = existsSync(target) ? JSON.parse(readFileSync(target, "utf8")) : {};
const names = [...new Set([...Object.keys(before), ...process.argv.slice(2)])].sort();
try {
  prepare();
  const lines = names.map((name) => {
    const { file, version, hash } = look(name);
    // The part of a version that programs say of themselves: no epoch, no revision of Debian's.
    const upstream = version
      .replace(/^\d+:/, "")
      .replace(/-[^-]*$/, "")
      .replace(/[+~.](dfsg|git).*$/, "");
    return `  ${JSON.stringify(name)}: ${JSON.stringify({ file: file.replace(/^pool\/main\//, ""), version: upstream, hash })}`;
  });
  writeFileSync(target, `{\n${lines.join(",\n")}\n}\n`);
} finally {
  rmSync(work, { recursive: true });
}
