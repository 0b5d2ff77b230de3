/** `exportReferencesGraph`: files that tell a build the closure of some of its inputs, with each path's references. */
import type { ByteString } from "../store/format/bytes.ts";
import type { Derivation } from "../store/format/derivation.ts";
import { type StorePath, splitStorePath } from "../store/format/store-path.ts";
import { closure, sortPaths } from "../store/graph.ts";
import type { Store } from "../store/store.ts";
import { BuildError } from "./builder.ts";
import { words } from "./environment.ts";

/** The files by name, in the format of `nix-store --register-validity`. */
export async function exportGraphs(derivation: Derivation, store: Store): Promise<Map<string, ByteString>> {
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

/** Registration text of a closure: path, deriver (left out), number of references, references. */
async function describeClosure(store: Store, roots: readonly StorePath[]): Promise<ByteString> {
  return sortPaths(closure(store.index, roots))
    .map((path) => {
      const { references } = store.requireInfo(path);
      return [path, "", String(references.length), ...references].map((line) => `${line}\n`).join("");
    })
    .join("");
}
