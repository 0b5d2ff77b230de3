/**
 * Small systems for tests, laid out as the channel lays them out: a recipe of units, /etc files and packages becomes trees and blobs.
 */
import { toBytes } from "#engine/store/format/bytes.ts";
import { sha256Hex } from "#engine/store/format/hash.ts";
import {
  directory,
  type FileTree,
  regularFile,
  type SourceTree,
  storeTree,
  symlink,
} from "#engine/store/format/tree.ts";
import type { SystemReader } from "./types.ts";

const file = (text: string): SourceTree => regularFile(toBytes(text));
export const path = (name: string, salt = ""): string =>
  `/nix/store/${sha256Hex(salt + name)
    .slice(0, 32)
    .replaceAll("e", "x")}-${name}`;

/** What the systems of these tests are made from; every part has a default. */
export interface Recipe {
  name?: string;
  units?: Record<string, string>;
  wants?: string[];
  etc?: Record<string, string>;
  packages?: Record<string, number>;
  users?: string;
  kernel?: string;
  host?: string;
  /** Folders with an index page: name → its text; the text is part of the path's hash. */
  pages?: Record<string, string>;
}

/** A store that holds one system per recipe, laid out as the channel lays them out. */
export function makeStore(recipes: readonly Recipe[]): {
  reader: SystemReader;
  tops: string[];
  trees: ReadonlyMap<string, FileTree>;
  blobs: ReadonlyMap<string, Uint8Array>;
} {
  const trees = new Map<string, FileTree>();
  const blobs = new Map<string, Uint8Array>();
  const closures = new Map<string, { path: string; narSize: number }[]>();
  const add = (name: string, tree: SourceTree, salt = ""): string => {
    trees.set(
      path(name, salt),
      storeTree(tree, (blob, contents) => blobs.set(blob, contents)),
    );
    return path(name, salt);
  };
  const tops = recipes.map((recipe, index) => {
    const { units = {}, wants = Object.keys(units), etc = {}, packages = {}, host = "moss" } = recipe;
    const at = (name: string): string => `${name}-${index}`;
    const unitLinks = Object.entries(units).map(([name, text]) => {
      const content = sha256Hex(text).slice(0, 6);
      return [name, symlink(`${add(`unit-${content}-${name}`, directory([[name, file(text)]]))}/${name}`)] as const;
    });
    const unitsPath = add(
      at("system-units"),
      directory([
        ...unitLinks,
        ["default.target", symlink("multi-user.target")],
        ["multi-user.target.wants", directory(wants.map((name) => [name, symlink(`../${name}`)] as const))],
      ]),
    );
    const files = { hostname: `${host}\n`, ...etc };
    const etcPath = add(
      "etc",
      directory([
        [
          "etc",
          directory([
            ...Object.entries(files).map(
              ([name, text]) => [name, symlink(add(`etc-${sha256Hex(text).slice(0, 6)}-${name}`, file(text)))] as const,
            ),
            ["systemd", directory([["system", symlink(unitsPath)]])],
          ]),
        ],
      ]),
      String(index),
    );
    for (const [name, text] of Object.entries(recipe.pages ?? {})) {
      add(name, directory([["index.html", file(text)]]), text);
    }
    const farm = Object.keys(packages).map((name) => [name, symlink(`${path(name)}/bin/${name}`)] as const);
    const sw = add(at("system-path"), directory([["bin", directory(farm)]]));
    const users = add("users-groups", file(recipe.users ?? "group\troot\t0\t-\n"));
    const top = add(
      recipe.name ?? at("nixos-system-moss"),
      directory([
        ["activate", file(`setup-etc ${etcPath}/etc\nusers ${users}\n`)],
        ["init", file(`exec ${path(at("nixos-system-moss"))}/systemd\n`)],
        ["etc", symlink(`${etcPath}/etc`)],
        ["sw", symlink(sw)],
        ["systemd", symlink(path("supervisor-1.0"))],
        ["kernel", symlink(`${path(recipe.kernel ?? "linux-6.1")}/bzImage`)],
        ["nixos-version", file("26.05")],
      ]),
    );
    closures.set(top, [
      ...Object.entries(packages).map(([name, narSize]) => ({ path: path(name), narSize })),
      { path: top, narSize: 1000 },
    ]);
    return top;
  });
  return { tops, trees, blobs, reader: readerOf(trees, blobs, closures) };
}

export function readerOf(
  trees: ReadonlyMap<string, FileTree>,
  blobs: ReadonlyMap<string, Uint8Array>,
  closures: ReadonlyMap<string, { path: string; narSize: number }[]>,
): SystemReader {
  const must = <Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): Promise<Value> => {
    const value = map.get(key);
    return value === undefined
      ? Promise.reject(new Error(`${String(key)} is not in the store`))
      : Promise.resolve(value);
  };
  return {
    tree: (at) => must(trees, at),
    blob: (hash) => must(blobs, hash),
    closure: (at) => must(closures, at),
  };
}

export const service = (run: string, more = "", unit = ""): string =>
  `[Unit]\nDescription=Test\n${unit}\n[Service]\n${more}\nExecStart=${run}\n`;
