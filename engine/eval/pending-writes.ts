/**
 * What an evaluation adds to the store: computed and remembered while it runs, written by its caller afterwards (writing is asynchronous,
 * evaluating is not). An `Io` forwards `addSource`, `addText` and `writeDerivation` here.
 */
import { toBytes } from "#engine/store/format/bytes.ts";
import { hashOf } from "#engine/store/format/hash.ts";
import { hashNar } from "#engine/store/format/nar.ts";
import { makeContentPath, makeTextPath } from "#engine/store/format/store-path.ts";
import { directory, regularFile, symlink, type SourceTree as ContentTree } from "#engine/store/format/tree.ts";
import type { AddSourceRequest, SourceTree } from "./io.ts";

export type Addition =
  | {
      readonly kind: "text";
      readonly storePath: string;
      readonly name: string;
      readonly text: string;
      readonly references: readonly string[];
    }
  | {
      readonly kind: "tree";
      readonly storePath: string;
      readonly name: string;
      readonly method: "nar" | "flat" | "text";
      readonly tree: ContentTree;
    };

export class PendingWrites {
  private readonly additions = new Map<string, Addition>();
  private readonly storeDir: string;
  private readonly readFile: (path: string) => string;

  /** `readFile` gives the bytes of the files that source trees name. */
  constructor(storeDir: string, readFile: (path: string) => string) {
    this.storeDir = storeDir;
    this.readFile = readFile;
  }

  addSource(request: AddSourceRequest): string {
    const tree = this.withContents(request.tree);
    const hash = request.method === "nar" ? hashNar(tree).hash : hashOf("sha256", contentsOf(tree));
    const storePath = makeContentPath({ method: request.method, hash }, request.name, undefined, this.storeDir);
    if (!request.dryRun) this.add({ kind: "tree", storePath, name: request.name, method: request.method, tree });
    return storePath;
  }

  /** `dryRun` only computes the path. */
  addText(name: string, text: string, references: readonly string[], dryRun: boolean): string {
    const storePath = makeTextPath(name, text, references, this.storeDir);
    if (!dryRun) this.add({ kind: "text", storePath, name, text, references });
    return storePath;
  }

  writeDerivation(drvPath: string, text: string, references: readonly string[]): void {
    this.add({ kind: "text", storePath: drvPath, name: drvPath.slice(this.storeDir.length + 34), text, references });
  }

  has(storePath: string): boolean {
    return this.additions.has(storePath);
  }

  get(storePath: string): Addition | undefined {
    return this.additions.get(storePath);
  }

  /** Hands over what has been added since the last time, inputs before what refers to them. */
  take(): Addition[] {
    const taken = [...this.additions.values()];
    this.additions.clear();
    return taken;
  }

  private add(addition: Addition): void {
    if (!this.additions.has(addition.storePath)) this.additions.set(addition.storePath, addition);
  }

  private withContents(tree: SourceTree): ContentTree {
    switch (tree.type) {
      case "regular":
        return regularFile(toBytes(this.readFile(tree.path)), tree.executable);
      case "symlink":
        return symlink(tree.target);
      case "directory":
        return directory(tree.entries.map(([name, child]) => [name, this.withContents(child)] as const));
    }
  }
}

const contentsOf = (tree: ContentTree): Uint8Array => (tree.type === "regular" ? tree.contents : new Uint8Array());
