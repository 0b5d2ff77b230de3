/**
 * From what a build left to what can be registered: references found in the bytes, hashes, the path of
 * content-addressed outputs (with their own hash part rewritten), and the rules a derivation sets for its outputs.
 */
import { type Derivation, type DerivationOutput, outputKind } from "../store/format/derivation.ts";
import { type Hash, createHasher, printHash } from "../store/format/hash.ts";
import { type NarContents, encodeNar, decodeNar, writeNar } from "../store/format/nar.ts";
import {
  type ContentAddress,
  type StorePath,
  hashPartOf,
  makeContentPath,
  outputContentAddress,
  outputPathName,
  parseMethodAlgorithm,
  printContentAddress,
} from "../store/format/store-path.ts";
import { type FileTree, type SourceTree, mapTree, storeTree } from "../store/format/tree.ts";
import { ReferenceScanner, hashModulo, rewriteHash } from "../store/references.ts";
import { type Registration, contentHash } from "../store/store.ts";
import { BuildError } from "./builder.ts";

/** One output with its contents in memory. */
export interface RawOutput {
  readonly name: string;
  /** Where the build wrote it. */
  readonly scratch: StorePath;
  readonly tree: SourceTree;
}

export interface JudgedOutput {
  readonly name: string;
  readonly registration: Registration;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

export interface BuildFacts {
  readonly drvPath: StorePath;
  /** Without ".drv". */
  readonly name: string;
  readonly derivation: Derivation;
  /** Everything the build could see. */
  readonly inputClosure: readonly StorePath[];
  readonly storeDir: string;
}

/** The contents of a stored tree brought into memory. */
export async function loadTree(tree: FileTree, blob: (sha256: string) => Promise<Uint8Array>): Promise<SourceTree> {
  const contents = new Map<string, Uint8Array>();
  const load = async (node: FileTree): Promise<void> => {
    if (node.type === "regular" && !contents.has(node.blob)) contents.set(node.blob, await blob(node.blob));
    if (node.type === "directory") for (const child of node.entries.values()) await load(child);
  };
  await load(tree);
  return mapTree(tree, (file) => ({ contents: contents.get(file.blob) as Uint8Array }));
}

/**
 * What to register for the outputs of one build. Outputs that refer to each other are handled references first.
 * @throws BuildError "output" on a cycle, a wrong fixed hash
 */
export function judgeOutputs(facts: BuildFacts, outputs: readonly RawOutput[]): JudgedOutput[] {
  for (const output of outputs) refuseDeepTree(facts, output);
  const found = new Map(outputs.map((output) => [output.name, findReferences(facts, outputs, output)]));
  const judged: JudgedOutput[] = [];
  const finalPath = new Map<StorePath, StorePath>();
  for (const output of orderOutputs(facts, outputs, found)) {
    const item = judgeOutput(facts, output, found.get(output.name) as StorePath[], finalPath);
    finalPath.set(output.scratch, item.registration.info.path);
    judged.push(item);
  }
  return judged;
}

/** How deep an archive's directories may lie; its own root is at 0. */
const DEEPEST = 64;

/** @throws BuildError "output", naming the directory that lies too deep */
function refuseDeepTree({ drvPath }: BuildFacts, { scratch, tree }: RawOutput): void {
  const visit = (node: SourceTree, path: string, depth: number): void => {
    if (node.type !== "directory") return;
    if (depth >= DEEPEST) {
      const message = `path '/${path}' exceeds maximum NAR directory depth of ${DEEPEST}`;
      throw new BuildError("output", message, { exit: 1 });
    }
    for (const [name, child] of node.entries) visit(child, `${path}/${name}`, depth + 1);
  };
  visit(tree, chrootPath(drvPath, scratch), 0);
}

/** What an output may refer to, unless the derivation says that its references do not count. */
function findReferences(facts: BuildFacts, outputs: readonly RawOutput[], output: RawOutput): StorePath[] {
  if (discardsReferences(facts.derivation, output.name)) return [];
  const scanner = new ReferenceScanner([...facts.inputClosure, ...outputs.map(({ scratch }) => scratch)]);
  writeNar(output.tree, IN_MEMORY, (piece) => scanner.push(piece));
  return scanner.found();
}

/** `unsafeDiscardReferences.<output>` of structured attributes. */
function discardsReferences({ env }: Derivation, output: string): boolean {
  const structured = env.get("__json");
  if (structured === undefined) return false;
  const { unsafeDiscardReferences } = JSON.parse(structured) as {
    readonly unsafeDiscardReferences?: Readonly<Record<string, boolean>>;
  };
  return unsafeDiscardReferences?.[output] === true;
}

const IN_MEMORY: NarContents<{ readonly contents: Uint8Array }> = {
  size: (file) => file.contents.length,
  write: (file, sink) => sink(file.contents),
};

function orderOutputs(
  facts: BuildFacts,
  outputs: readonly RawOutput[],
  references: ReadonlyMap<string, readonly StorePath[]>,
): RawOutput[] {
  const byScratch = new Map(outputs.map((output) => [output.scratch, output]));
  const order: RawOutput[] = [];
  const visit = (output: RawOutput, parents: readonly string[]): void => {
    if (order.includes(output)) return;
    for (const reference of references.get(output.name) ?? []) {
      const next = byScratch.get(reference);
      if (next === undefined || next === output) continue;
      if (parents.includes(next.name)) {
        const text = `cycle detected in build of '${facts.drvPath}' in the references of output '${next.name}' from output '${output.name}'`;
        throw new BuildError("output", text, { exit: 1 });
      }
      visit(next, [...parents, output.name]);
    }
    order.push(output);
  };
  for (const output of [...outputs].sort((left, right) => (left.name < right.name ? -1 : 1))) visit(output, []);
  return order;
}

function judgeOutput(
  facts: BuildFacts,
  output: RawOutput,
  references: readonly StorePath[],
  finalPath: ReadonlyMap<StorePath, StorePath>,
): JudgedOutput {
  const declared = facts.derivation.outputs.get(output.name) as DerivationOutput;
  const kind = outputKind(declared);
  const others = references.filter((path) => path !== output.scratch).map((path) => finalPath.get(path) ?? path);
  const self = references.includes(output.scratch);
  if (kind === "input-addressed" || kind === "deferred") {
    return finish(facts, output.name, output.tree, output.scratch, { others, self });
  }
  if (kind === "fixed") return judgeFixed(facts, output, declared, { others, self });
  return judgeFloating(facts, output, declared, { others, self }, finalPath);
}

interface Found {
  readonly others: readonly StorePath[];
  readonly self: boolean;
}

function judgeFixed(facts: BuildFacts, output: RawOutput, declared: DerivationOutput, found: Found): JudgedOutput {
  const wanted = outputContentAddress(declared.hashAlgorithm, declared.hash);
  if (wanted.method !== "nar" && wanted.method !== "git") requirePlainFile(facts, output);
  const got = contentHash(output.tree, wanted.method, wanted.hash.algorithm);
  if (printHash(got, "base16") !== printHash(wanted.hash, "base16")) {
    const message = `hash mismatch in fixed-output derivation '${facts.drvPath}':\n  specified: ${printHash(wanted.hash, "sri")}\n     got:    ${printHash(got, "sri")}`;
    throw new BuildError("output", message, { exit: 102 });
  }
  refuseReferences(facts, wanted.method, output, found);
  const path = makeContentPath(wanted, outputPathName(facts.name, output.name), found, facts.storeDir);
  return finish(facts, output.name, output.tree, path, found, wanted);
}

/** A fixed output is the same wherever it is made; only a text's address counts its references. */
function refuseReferences({ drvPath }: BuildFacts, method: string, { scratch }: RawOutput, found: Found): void {
  const references = [...found.others, ...(found.self ? [scratch] : [])].sort();
  if (method === "text" || references.length === 0) return;
  const message = `fixed-output derivations must not reference store paths: '${drvPath}' references ${references.length} distinct paths, e.g. '${references[0]}'`;
  throw new BuildError("output", message, { exit: 102 });
}

/** Where Nix's sandbox has an output on the host's disk, as its messages name it. */
export function chrootPath(drvPath: StorePath, scratch: StorePath): string {
  return `${drvPath}.chroot/root${scratch}`;
}

function requirePlainFile(facts: BuildFacts, output: RawOutput): void {
  if (output.tree.type === "regular" && !output.tree.executable) return;
  const message = `output path "${chrootPath(facts.drvPath, output.scratch)}" should be a non-executable regular file since recursive hashing is not enabled (one of outputHashMode={flat,text} is true)`;
  throw new BuildError("output", message, { exit: 1 });
}

/** A floating output: paths of earlier outputs and its own are put in place of where the build wrote. */
function judgeFloating(
  facts: BuildFacts,
  output: RawOutput,
  declared: DerivationOutput,
  found: Found,
  finalPath: ReadonlyMap<StorePath, StorePath>,
): JudgedOutput {
  const { method, algorithm } = parseMethodAlgorithm(declared.hashAlgorithm);
  if (method === "flat" || method === "text") requirePlainFile(facts, output);
  const scratchHash = hashPartOf(output.scratch);
  let tree = output.tree;
  for (const [from, to] of finalPath) tree = rewriteTree(tree, hashPartOf(from), hashPartOf(to));
  const hash: Hash =
    method === "nar" && found.self
      ? hashModulo(encodeNar(tree), algorithm, scratchHash)
      : contentHash(tree, method, algorithm);
  const address: ContentAddress = { method, hash };
  const path = makeContentPath(address, outputPathName(facts.name, output.name), found, facts.storeDir);
  return finish(facts, output.name, rewriteTree(tree, scratchHash, hashPartOf(path)), path, found, address);
}

/** The same tree with one hash part put for another, in contents, link targets and names. */
function rewriteTree(tree: SourceTree, from: string, to: string): SourceTree {
  return from === to ? tree : decodeNar(rewriteHash(encodeNar(tree), from, to));
}

function finish(
  facts: BuildFacts,
  name: string,
  tree: SourceTree,
  path: StorePath,
  found: Found,
  address?: ContentAddress,
): JudgedOutput {
  const blobs = new Map<string, Uint8Array>();
  const stored = storeTree(tree, (sha256, contents) => void blobs.set(sha256, contents));
  const hasher = createHasher("sha256");
  let narSize = 0;
  writeNar(tree, IN_MEMORY, (piece) => {
    hasher.update(piece);
    narSize += piece.length;
  });
  const info = {
    path,
    narHash: printHash({ algorithm: "sha256", bytes: hasher.digest() }, "nix32", true),
    narSize,
    references: [...new Set([...found.others, ...(found.self ? [path] : [])])].sort(),
    deriver: facts.drvPath,
    ...(address === undefined ? {} : { ca: printContentAddress(address) }),
    signatures: [],
    ultimate: true,
  };
  return { name, registration: { info, tree: stored }, blobs };
}
