/**
 * `exportReferencesGraph`: what tells a build the closure of some of its inputs, with each path's references. Files beside the builder, or,
 * with structured attributes, members of `.attrs.json`.
 */
import type { ByteString } from "../store/format/bytes.ts";
import type { Json } from "../store/format/json.ts";
import type { Derivation } from "../store/format/derivation.ts";
import { type StorePath, splitStorePath } from "../store/format/store-path.ts";
import { closure, sortPaths } from "../store/graph.ts";
import type { Store } from "../store/store.ts";
import { BuildError } from "./builder.ts";
import { words } from "./environment.ts";

/** The files by name, in the format of `nix-store --register-validity`. */
export async function exportGraphs(derivation: Derivation, store: Store): Promise<Map<string, ByteString>> {
  if (derivation.env.has("__json")) return new Map();
  const items = words(derivation.env.get("exportReferencesGraph") ?? "");
  if (items.length % 2 !== 0) {
    throw new BuildError("output", "odd number of tokens in 'exportReferencesGraph'", { exit: 1 });
  }
  const files = new Map<string, ByteString>();
  for (let index = 0; index < items.length; index += 2) {
    const [path] = splitStorePath(items[index + 1] as string, store.storeDir);
    files.set(items[index] as string, await describeClosure(store, [path]));
  }
  return files;
}

/** The members of `.attrs.json`, by name. */
export function structuredGraphs(derivation: Derivation, store: Store): Map<string, Json> {
  const structured = derivation.env.get("__json");
  if (structured === undefined) return new Map();
  const { exportReferencesGraph } = JSON.parse(structured) as {
    readonly exportReferencesGraph?: Readonly<Record<string, string | readonly string[]>>;
  };
  const graphs = Object.entries(exportReferencesGraph ?? {}).map(([name, items]): [string, Json] => {
    const roots = (typeof items === "string" ? [items] : items).map((item) => splitStorePath(item, store.storeDir)[0]);
    return [name, sortPaths(closure(store.index, roots)).map((path) => describePath(store, path))];
  });
  return new Map(graphs);
}

function describePath(store: Store, path: StorePath): Json {
  const { narHash, narSize, references, ca } = store.requireInfo(path);
  const closureSize = [...closure(store.index, [path])].reduce((sum, one) => sum + store.requireInfo(one).narSize, 0);
  const address: Record<string, Json> = ca === undefined ? {} : { ca };
  return { closureSize, narHash, narSize, path, references: [...references].sort(), valid: true, ...address };
}

/** Registration text of a closure: path, deriver (left out), number of references, references. */
async function describeClosure(store: Store, roots: readonly StorePath[]): Promise<ByteString> {
  return sortPaths(closure(store.index, roots))
    .map((path) => {
      const { references } = store.requireInfo(path);
      return [path, "", String(references.length), ...references].map((line) => `${line}\n`).join("");
    })
    .join("");
}
