/**
 * Reading a top level: the store's trees and files into a SystemDescription.
 *
 * Only paths of the system's own closure are read, each tree once. A path that lacks a part every system has (no `etc`, no
 * `init`) is not a system: SystemError.
 */
import { type ByteString, decodeUtf8, fromBytes } from "#engine/store/format/bytes.ts";
import { nameOf, splitStorePath, type StorePath } from "#engine/store/format/store-path.ts";
import { type FileTree, nodeAt, walkTree } from "#engine/store/format/tree.ts";
import type { EtcEntry, SystemDescription, SystemPackage, SystemReader, SystemUser, Unit } from "./types.ts";
import { parseUnitFile, unitValue } from "./unit-file.ts";

export class SystemError extends Error {
  readonly code: "not-a-system";

  constructor(message: string) {
    super(message);
    this.name = "SystemError";
    this.code = "not-a-system";
  }
}

/** @throws SystemError when the path is no system's top level */
export async function readSystem(topLevel: StorePath, reader: SystemReader): Promise<SystemDescription> {
  const files = cachedFiles(reader);
  const top = await files.tree(topLevel);
  const link = (name: string): string => {
    const node = nodeAt(top, name);
    if (node?.type !== "symlink") throw new SystemError(`${topLevel} has no link \`${name}'`);
    return node.target;
  };
  const text = async (name: string): Promise<string> => (await files.text(`${topLevel}/${name}`)) ?? "";

  const etcRoot = link("etc");
  const unitRoot = await files.resolve(`${etcRoot}/systemd/system`);
  const [etc, units, closure, activate] = await Promise.all([
    readEtc(files, etcRoot),
    unitRoot === undefined ? NO_UNITS : readUnits(files, unitRoot),
    reader.closure(topLevel),
    text("activate"),
  ]);
  const sizes = new Map(closure.map(({ path, narSize }) => [path, narSize]));
  const accounts = await readAccounts(files, activate);
  return {
    topLevel,
    hostName: ((await files.text(`${etcRoot}/hostname`)) ?? "").trim(),
    label: await text("nixos-version"),
    kernel: linkOr(top, "kernel"),
    initrd: linkOr(top, "initrd"),
    kernelParams: await text("kernel-params"),
    systemd: link("systemd"),
    activation: [await text("init"), activate].map((script) => plainScript(script, topLevel)).join("\n"),
    ...units,
    etc,
    ...accounts,
    packages: readPackages(
      sizes,
      await installedPaths(files, [...profilesOf(etc), await linkTarget(files, top, "sw")]),
    ),
    closure: sizes,
    specialisations: specialisationsOf(top),
  };
}

const NO_UNITS = { units: new Map<string, Unit>(), wanted: new Map<string, readonly string[]>() };

// ------------------------------------------------------------------------------------------------------------ files

interface Files {
  tree(path: StorePath): Promise<FileTree>;
  /** The place a path ends up at, links inside the store followed; undefined where it leaves the store or does not exist. */
  resolve(path: string): Promise<string | undefined>;
  node(path: string): Promise<FileTree | undefined>;
  /** A file's text, links followed. */
  text(path: string): Promise<string | undefined>;
}

function cachedFiles(reader: SystemReader): Files {
  const trees = new Map<StorePath, Promise<FileTree>>();
  const tree = (path: StorePath): Promise<FileTree> => {
    const known = trees.get(path) ?? reader.tree(path);
    trees.set(path, known);
    return known;
  };
  const resolve = (path: string): Promise<string | undefined> => resolvePath(tree, path);
  const node = async (path: string): Promise<FileTree | undefined> => {
    const place = await resolve(path);
    if (place === undefined) return undefined;
    const [storePath, rest] = splitStorePath(place);
    return nodeAt(await tree(storePath), rest);
  };
  const text = async (path: string): Promise<string | undefined> => {
    const found = await node(path);
    return found?.type === "regular" ? decodeUtf8(fromBytes(await reader.blob(found.blob))) : undefined;
  };
  return { tree, resolve, node, text };
}

/** More links in a row than this are a circle. */
const MOST_LINKS = 40;

async function resolvePath(
  tree: (path: StorePath) => Promise<FileTree>,
  path: string,
  budget = MOST_LINKS,
): Promise<string | undefined> {
  if (!/^\/nix\/store\/[^/]{34,}/.test(path)) return undefined;
  const [storePath, rest] = splitStorePath(path);
  const root = await tree(storePath);
  let at: string = storePath;
  let below = "";
  const names = rest.split("/").filter((name) => name !== "");
  for (const [index, name] of ["", ...names].entries()) {
    if (name !== "") {
      below += `/${name}`;
      at = storePath + below;
    }
    const node = nodeAt(root, below);
    if (node === undefined) return undefined;
    if (node.type === "symlink") {
      if (budget === 0) return undefined;
      const target = joinPath(at, node.target, names.slice(index));
      return resolvePath(tree, target, budget - 1);
    }
  }
  return at;
}

/** Where a link at `at` leads, with the names that follow it. */
function joinPath(at: string, target: ByteString, rest: readonly string[]): string {
  const base = target.startsWith("/") ? target : `${at.slice(0, at.lastIndexOf("/"))}/${target}`;
  const parts: string[] = [];
  for (const part of [...base.split("/"), ...rest]) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function linkOr(tree: FileTree, name: string): string {
  const node = nodeAt(tree, name);
  return node?.type === "symlink" ? node.target : "";
}

async function linkTarget(files: Files, tree: FileTree, name: string): Promise<string | undefined> {
  return files.resolve(linkOr(tree, name));
}

// ------------------------------------------------------------------------------------------------------------ parts

/** The scripts without what is this very system's: its own path, and the paths that are compared on their own. */
function plainScript(script: string, topLevel: StorePath): string {
  return script
    .replaceAll(topLevel, "@out@")
    .replaceAll(/\/nix\/store\/[a-z0-9]{32}-(?:etc\/etc|users-groups)/g, "@compared@")
    .replaceAll(/^hostname .*$/gm, "");
}

async function readEtc(files: Files, root: string): Promise<Map<string, EtcEntry>> {
  const tree = await files.node(root);
  const entries = new Map<string, EtcEntry>();
  if (tree === undefined) return entries;
  for (const [at, node] of walkTree(tree)) {
    const path = at.slice(1);
    if (node.type !== "symlink" || path === "systemd/system") continue;
    const beside = async (suffix: string): Promise<string | undefined> =>
      nodeAt(tree, path + suffix) === undefined ? undefined : (await files.text(`${root}/${path}${suffix}`))?.trim();
    entries.set(path, {
      path,
      source: node.target,
      content: await contentOf(files, node.target),
      mode: (await beside(".mode")) ?? "symlink",
      user: (await beside(".uid")) ?? "+0",
      group: (await beside(".gid")) ?? "+0",
    });
  }
  return entries;
}

/** What tells two sources apart: a file's blob, otherwise the place itself. */
async function contentOf(files: Files, source: string): Promise<string> {
  const node = await files.node(source);
  if (node?.type === "regular") return node.executable ? `${node.blob}+x` : node.blob;
  return (await files.resolve(source)) ?? source;
}

async function readUnits(
  files: Files,
  root: string,
): Promise<{ units: Map<string, Unit>; wanted: Map<string, readonly string[]> }> {
  const tree = await files.node(root);
  const units = new Map<string, Unit>();
  const wanted = new Map<string, readonly string[]>();
  if (tree?.type !== "directory") return { units, wanted };
  for (const [name, node] of tree.entries) {
    const pull = /^(.+)\.(?:wants|requires|upholds)$/.exec(name);
    if (node.type === "directory") {
      const by = pull?.[1];
      if (by !== undefined) wanted.set(by, [...(wanted.get(by) ?? []), ...node.entries.keys()]);
    } else if (node.type === "regular" || isUnitLink(node.target)) {
      units.set(name, await readUnit(files, root, tree, name));
    }
  }
  return { units, wanted };
}

/** A relative link is an alias (or default.target), not a unit of its own. */
function isUnitLink(target: string): boolean {
  return target.startsWith("/");
}

async function readUnit(files: Files, root: string, tree: FileTree, name: string): Promise<Unit> {
  const node = nodeAt(tree, name);
  const masked = node?.type === "symlink" && node.target === "/dev/null";
  const file = node?.type === "symlink" ? node.target : `${root}/${name}`;
  const dropIns = nodeAt(tree, `${name}.d`);
  const texts = [masked ? "" : ((await files.text(file)) ?? "")];
  if (dropIns?.type === "directory") {
    for (const part of dropIns.entries.keys()) texts.push((await files.text(`${root}/${name}.d/${part}`)) ?? "");
  }
  const sections = parseUnitFile(...texts);
  return { name, description: unitValue(sections, "Unit", "Description") ?? "", file, sections, masked };
}

/** Users and groups from the list that the activation script is given. */
async function readAccounts(
  files: Files,
  activate: string,
): Promise<{ users: Map<string, SystemUser>; groups: Map<string, number> }> {
  const users = new Map<string, SystemUser>();
  const groups = new Map<string, number>();
  const list = /\/nix\/store\/[a-z0-9]{32}-users-groups/.exec(activate)?.[0];
  const lines = list === undefined ? [] : ((await files.text(list)) ?? "").split("\n").map((line) => line.split("\t"));
  const members = new Map<string, string[]>();
  for (const [kind, name = "", number = "-", names = "-"] of lines) {
    if (kind !== "group") continue;
    groups.set(name, toNumber(number));
    if (names !== "-") for (const user of names.split(",")) members.set(user, [...(members.get(user) ?? []), name]);
  }
  for (const [kind, name = "", number = "-", group = "", , home = "", shell = "", person = ""] of lines) {
    if (kind !== "user") continue;
    const normal = person === "normal";
    users.set(name, { name, uid: toNumber(number), group, home, shell, normal, groups: members.get(name) ?? [] });
  }
  return { users, groups };
}

/** -1: the machine gives the number. */
function toNumber(text: string): number {
  return text === "-" ? -1 : Number(text);
}

function profilesOf(etc: ReadonlyMap<string, EtcEntry>): string[] {
  return [...etc.values()].filter(({ path }) => path.startsWith("profiles/per-user/")).map(({ source }) => source);
}

/** Store paths that the links of symlink farms lead to: the packages somebody asked for. */
async function installedPaths(files: Files, farms: readonly (string | undefined)[]): Promise<Set<StorePath>> {
  const installed = new Set<StorePath>();
  for (const farm of farms) {
    const tree = farm === undefined ? undefined : await files.node(farm);
    if (tree === undefined) continue;
    for (const [, node] of walkTree(tree)) {
      if (node.type === "symlink" && node.target.startsWith("/nix/store/")) {
        installed.add(splitStorePath(node.target)[0]);
      }
    }
  }
  return installed;
}

/** By name: what is installed, and whatever else of the closure has a version; sizes of equal names are added. */
function readPackages(
  closure: ReadonlyMap<StorePath, number>,
  installed: ReadonlySet<StorePath>,
): Map<string, SystemPackage> {
  const packages = new Map<string, SystemPackage>();
  for (const [path, size] of closure) {
    const { name, version } = parsePackageName(nameOf(path));
    if (name.startsWith("nixos-system-") || (version === "" && !installed.has(path))) continue;
    const known = packages.get(name);
    packages.set(name, { name, version: joinVersions(known?.version, version), size: (known?.size ?? 0) + size });
  }
  return packages;
}

function joinVersions(known: string | undefined, version: string): string {
  if (known === undefined || known === version) return version;
  return [...new Set([...known.split(", "), version])].sort().join(", ");
}

/** "hello-2.12" to name and version: the version begins after the first hyphen that no letter follows. */
export function parsePackageName(text: string): { name: string; version: string } {
  const parts = /^(.*?)-([^a-zA-Z].*)$/.exec(text);
  return parts === null ? { name: text, version: "" } : { name: parts[1] ?? "", version: parts[2] ?? "" };
}

function specialisationsOf(top: FileTree): Map<string, StorePath> {
  const folder = nodeAt(top, "specialisation");
  const found = new Map<string, StorePath>();
  if (folder?.type !== "directory") return found;
  for (const [name, node] of folder.entries) if (node.type === "symlink") found.set(name, node.target);
  return found;
}
