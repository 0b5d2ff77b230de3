/** From what an evaluation made to registered paths: texts in one commit, sources with their seeds fetched when they are missing. */
import { nameOf } from "#engine/store/format/store-path.ts";
import { type SourceTree, type TreeNode, directory, regularFile } from "#engine/store/format/tree.ts";
import { sha256Hex } from "#engine/store/format/hash.ts";
import { StoreError } from "#engine/store/error.ts";
import type { Store } from "#engine/store/store.ts";
import type { SourceContents, StoreItem } from "../api.ts";

type Fetch = (url: string) => Promise<Uint8Array>;

/** Registers what is not valid yet, dependencies first. A path that does not come out as the evaluator named it is a bug, and refused. */
export async function register(store: Store, items: readonly StoreItem[], fetch: Fetch): Promise<void> {
  const missing = items.filter(({ path }) => !store.isValid(path));
  for (const item of missing) {
    if (item.kind !== "source") continue;
    const tree = await load(item.tree, fetch);
    const info = await store.addTree(nameOf(item.path), tree, item.method);
    expectPath(info.path, item.path);
  }
  const texts = missing.filter((item) => item.kind === "text");
  const paths = await store.addTexts(
    texts.map(({ path, text, references }) => ({ name: nameOf(path), text, references })),
  );
  texts.forEach(({ path }, index) => expectPath(paths[index], path));
}

function expectPath(got: string, expected: string): void {
  if (got !== expected)
    throw new StoreError("corrupt", `'${expected}' would be registered as '${got}'`, { expected, got });
}

async function load(tree: TreeNode<SourceContents>, fetch: Fetch): Promise<SourceTree> {
  switch (tree.type) {
    case "symlink":
      return tree;
    case "regular":
      return regularFile("contents" in tree ? tree.contents : await seedContents(tree, fetch), tree.executable);
    case "directory": {
      const entries = [...tree.entries].map(async ([name, node]) => [name, await load(node, fetch)] as const);
      return directory(await Promise.all(entries));
    }
  }
}

async function seedContents({ url, blob }: { url: string; blob: string }, fetch: Fetch): Promise<Uint8Array> {
  const bytes = await fetch(url);
  if (sha256Hex(bytes) !== blob)
    throw new StoreError("hash-mismatch", `${url} is not the file that the page was built with`, { blob });
  return bytes;
}
