/**
 * Derivations: the data, their ATerm text in bytes (what a .drv file holds), the hash "modulo" that makes output paths
 * independent of how fixed outputs are fetched, and placeholders. Invariant: printing sorts, so one derivation has one
 * text; structured attributes stay in `env` as "__json", as the text has them.
 */
import { encodeNix32 } from "./base-n.ts";
import { type ByteString, compareByteStrings } from "./bytes.ts";
import { FormatError } from "./error.ts";
import { type Hash, compressDigest, hashHex, hashOf, parseBareHash, sha256Bytes } from "./hash.ts";
import {
  DEFAULT_STORE_DIR,
  type StorePath,
  hashPartOf,
  makeOutputPath,
  makeTextPath,
  nameOf,
  outputPathName,
  parseStorePath,
} from "./store-path.ts";

/** An output as the text has it. Which kind it is follows from which fields are empty: see `outputKind`. */
export interface DerivationOutput {
  /** The store path; "" while it is unknown (deferred, floating, impure). */
  readonly path: StorePath;
  /** "sha256", "r:sha256", "text:sha256", "git:sha1" …; "" for input-addressed outputs. */
  readonly hashAlgorithm: string;
  /** base16; "" for input-addressed and floating outputs; "impure" for impure ones. */
  readonly hash: string;
}

/** The outputs wanted of an input derivation and, for dynamic derivations, of the derivations that those outputs are. */
export interface DerivationInput {
  readonly outputs: readonly string[];
  readonly dynamic?: ReadonlyMap<string, DerivationInput>;
}

export interface Derivation {
  readonly outputs: ReadonlyMap<string, DerivationOutput>;
  readonly inputDerivations: ReadonlyMap<StorePath, DerivationInput>;
  readonly inputSources: readonly StorePath[];
  readonly system: ByteString;
  readonly builder: ByteString;
  readonly args: readonly ByteString[];
  readonly env: ReadonlyMap<ByteString, ByteString>;
}

export type OutputKind = "input-addressed" | "fixed" | "floating" | "impure" | "deferred";

const PLAIN = "Derive(";
const VERSIONED = "DrvWithVersion(";
const DYNAMIC_VERSION = "xp-dyn-drv";

export function outputKind(output: DerivationOutput): OutputKind {
  if (output.hashAlgorithm === "") return output.path === "" ? "deferred" : "input-addressed";
  if (output.hash === "") return "floating";
  return output.hash === "impure" ? "impure" : "fixed";
}

/** The kind of all outputs of a derivation: a valid one has outputs of one kind only. */
export function derivationKind(derivation: Derivation): OutputKind {
  for (const output of derivation.outputs.values()) return outputKind(output);
  return "input-addressed";
}

/** The name in a .drv path, without ".drv". */
export function derivationName(drvPath: StorePath): string {
  return nameOf(drvPath).slice(0, -".drv".length);
}

// Printing

/** The parts of a derivation's text that stay when its inputs are replaced by their hashes. */
export interface DerivationParts {
  readonly outputs: ByteString;
  /** Everything after the inputs. */
  readonly rest: ByteString;
}

/** `mask` empties the output paths, in the outputs and in the environment. */
export function derivationParts(derivation: Derivation, mask = false): DerivationParts {
  const { outputs, env } = derivation;
  const outputTexts = sortedEntries(outputs).map(([name, output]) => {
    const path = mask ? "" : output.path;
    return `(${quote(name)},"${path}","${output.hashAlgorithm}","${output.hash}")`;
  });
  let variables = "";
  for (const [name, value] of sortedEntries(env)) {
    const shown = mask && outputs.has(name) ? "" : value;
    variables += `${variables === "" ? "" : ","}(${quote(name)},${quote(shown)})`;
  }
  const sources = printList([...derivation.inputSources].sort(compareByteStrings));
  const rest = `${sources},${quote(derivation.system)},${quote(derivation.builder)},${printList(derivation.args)},[${variables}])`;
  return { outputs: `[${outputTexts.join(",")}]`, rest };
}

/** The text of a derivation. `mask` empties the output paths; `parts` are its parts, if they are at hand. */
export function printDerivation(
  derivation: Derivation,
  mask = false,
  parts: DerivationParts = derivationParts(derivation, mask),
): ByteString {
  return printWithInputs(parts, derivation.inputDerivations);
}

function printWithInputs(parts: DerivationParts, inputs: ReadonlyMap<string, DerivationInput>): ByteString {
  const inputTexts = sortedEntries(inputs).map(([path, input]) => `("${path}",${printInput(input)})`);
  return `${opening(inputs)}${parts.outputs},[${inputTexts.join(",")}],${parts.rest}`;
}

/** Only a derivation with dynamic inputs says which version of the format it needs. */
function opening(inputs: ReadonlyMap<string, DerivationInput>): string {
  for (const input of inputs.values()) {
    if (input.dynamic !== undefined && input.dynamic.size > 0) return `${VERSIONED}"${DYNAMIC_VERSION}",`;
  }
  return PLAIN;
}

function printInput(input: DerivationInput): string {
  const outputs = printList([...input.outputs].sort(compareByteStrings));
  if (input.dynamic === undefined || input.dynamic.size === 0) return outputs;
  const children = sortedEntries(input.dynamic).map(([name, child]) => `(${quote(name)},${printInput(child)})`);
  return `(${outputs},[${children.join(",")}])`;
}

function printList(items: readonly ByteString[]): ByteString {
  return `[${items.map(quote).join(",")}]`;
}

const SPECIAL = /["\\\n\r\t]/;
const ALL_SPECIAL = /["\\\n\r\t]/g;
const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function quote(text: ByteString): ByteString {
  return SPECIAL.test(text) ? `"${text.replace(ALL_SPECIAL, (char) => ESCAPES[char] as string)}"` : `"${text}"`;
}

/** Most maps here were filled in order, which is cheaper to see than to sort. */
function sortedEntries<Value>(map: ReadonlyMap<string, Value>): (readonly [string, Value])[] {
  const entries = [...map];
  return isSorted(entries) ? entries : entries.sort((left, right) => compareByteStrings(left[0], right[0]));
}

function isSorted(entries: readonly (readonly [string, unknown])[]): boolean {
  for (let i = 1; i < entries.length; i++) if (!(entries[i - 1]![0] < entries[i]![0])) return false;
  return true;
}

// Parsing

/**
 * Reads a derivation's text.
 * @throws FormatError "derivation": "expected string '…'" as Nix has it
 */
export function parseDerivation(text: ByteString): Derivation {
  if (text === "") throw termError("file is empty (possible filesystem corruption)", 0);
  const reader = new TermReader(text);
  let dynamic = false;
  reader.expect("D");
  if (text.startsWith("r", 1)) {
    reader.expect(VERSIONED.slice(1));
    const version = reader.string();
    if (version !== DYNAMIC_VERSION) throw termError(`Unknown derivation ATerm format version '${version}'`, 0);
    dynamic = true;
    reader.expect(",");
  } else if (text.startsWith("e", 1)) {
    reader.expect(PLAIN.slice(1));
  } else {
    throw new FormatError("derivation", "derivation does not start with 'Derive' or 'DrvWithVersion'");
  }
  reader.expect("[");
  const outputs = firstOfEach(reader.rest(readOutput));
  reader.expect(",[");
  const inputDerivations = new Map(reader.rest((term) => readInputEntry(term, dynamic)));
  reader.expect(",");
  const inputSources = sorted(reader.list((term) => term.path()));
  reader.expect(",");
  const system = reader.string();
  reader.expect(",");
  const builder = reader.string();
  reader.expect(",");
  const args = reader.strings();
  reader.expect(",[");
  const env = new Map(reader.rest(readVariable));
  reader.expect(")");
  return { outputs, inputDerivations, inputSources, system, builder, args, env };
}

/** An output that comes twice is what it was first. */
function firstOfEach(entries: readonly [string, DerivationOutput][]): Map<string, DerivationOutput> {
  const outputs = new Map<string, DerivationOutput>();
  for (const [name, output] of entries) if (!outputs.has(name)) outputs.set(name, output);
  return outputs;
}

function sorted(paths: ByteString[]): ByteString[] {
  return paths.every((path, index) => index === 0 || (paths[index - 1] as ByteString) < path)
    ? paths
    : [...new Set(paths)].sort();
}

function readOutput(term: TermReader): [string, DerivationOutput] {
  term.expect("(");
  const name = term.string();
  term.expect(",");
  const path = term.string();
  term.expect(",");
  const hashAlgorithm = term.string();
  term.expect(",");
  const hash = term.string();
  term.expect(")");
  if (path !== "" && !path.startsWith("/")) throw termError(`bad path '${path}' in derivation`, 0);
  if (path !== "" && hashAlgorithm !== "" && hash === "") {
    throw termError("content-addressing derivation output should not specify output path", 0);
  }
  return [name, { path, hashAlgorithm, hash }];
}

/** Below a dynamic input the keys are names of outputs. */
function readInputEntry(term: TermReader, dynamic: boolean, inner = false): [string, DerivationInput] {
  term.expect("(");
  const path = inner ? term.string() : term.path();
  term.expect(",");
  const input = readInput(term, dynamic);
  term.expect(")");
  return [path, input];
}

function readInput(term: TermReader, dynamic: boolean): DerivationInput {
  if (!dynamic || !term.takes("(")) return { outputs: term.strings() };
  const outputs = term.strings();
  term.expect(",");
  const children = new Map(term.list((inner) => readInputEntry(inner, true, true)));
  term.expect(")");
  return { outputs, dynamic: children };
}

function readVariable(term: TermReader): [ByteString, ByteString] {
  term.expect("(");
  const name = term.string();
  term.expect(",");
  const value = term.string();
  term.expect(")");
  return [name, value];
}

/** A cursor over the text; everything it does not expect is an error with the offset. */
class TermReader {
  readonly #text: ByteString;
  #offset = 0;

  constructor(text: ByteString) {
    this.#text = text;
  }

  takes(token: string): boolean {
    if (!this.#text.startsWith(token, this.#offset)) return false;
    this.#offset += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.takes(token)) throw termError(`expected string '${token}'`, this.#offset);
  }

  list<Item>(item: (term: TermReader) => Item): Item[] {
    this.expect("[");
    return this.rest(item);
  }

  /** The items of a list that is open. As in Nix, a comma too many or too few does no harm. */
  rest<Item>(item: (term: TermReader) => Item): Item[] {
    const items: Item[] = [];
    while (this.takes(",") || !this.takes("]")) items.push(item(this));
    return items;
  }

  path(): ByteString {
    const path = this.string();
    if (!path.startsWith("/")) throw termError(`bad path '${path}' in derivation`, this.#offset);
    return path;
  }

  strings(): ByteString[] {
    return this.list((term) => term.string());
  }

  string(): ByteString {
    this.expect('"');
    const end = this.#closingQuote();
    const raw = this.#text.slice(this.#offset, end);
    this.#offset = end + 1;
    return raw.includes("\\") ? raw.replace(/\\([^])/g, (_, char: string) => unescapeChar(char)) : raw;
  }

  #closingQuote(): number {
    for (let at = this.#offset; at < this.#text.length; at++) {
      const char = this.#text.charCodeAt(at);
      if (char === 0x22) return at;
      if (char === 0x5c) at++;
    }
    throw termError("unterminated string in derivation", this.#offset);
  }
}

function unescapeChar(char: string): string {
  return char === "n" ? "\n" : char === "r" ? "\r" : char === "t" ? "\t" : char;
}

function termError(message: string, offset: number): FormatError {
  return new FormatError("derivation", message, { offset });
}

/** The same derivation, read from a store: its paths are of that store, and errors name it. @throws FormatError */
export function readDerivation(text: ByteString, drvPath: StorePath, storeDir: string): Derivation {
  try {
    const derivation = parseDerivation(text);
    for (const { path } of derivation.outputs.values()) if (path !== "") parseStorePath(path, storeDir);
    for (const path of derivation.inputDerivations.keys()) parseStorePath(path, storeDir);
    for (const path of derivation.inputSources) parseStorePath(path, storeDir);
    return derivation;
  } catch (error) {
    if (!(error instanceof FormatError) || error.code !== "derivation" || error.data["offset"] === undefined)
      throw error;
    throw new FormatError("derivation", `error parsing derivation '${drvPath}': ${error.message}`, error.data);
  }
}

// Hashes and paths

/** A derivation's hash modulo its fixed outputs: base16 SHA-256 an output. */
export interface DerivationHashes {
  /** "deferred": some input's outputs are known only after a build, so this one's paths are too. */
  readonly kind: "regular" | "deferred";
  readonly hashes: ReadonlyMap<string, string>;
}

/**
 * The hash that output paths are made from: inputs are replaced by their own hashes, fixed outputs count only by what
 * they are. `resolve` gives the hashes of an input derivation (unmasked; cache it: see `createModuloCache`); `parts` are its parts, if
 * they are at hand.
 * @throws FormatError "derivation" when an input lacks an output that is asked of it
 */
export function hashDerivationModulo(
  derivation: Derivation,
  mask: boolean,
  resolve: (drvPath: StorePath) => DerivationHashes,
  parts?: DerivationParts,
): DerivationHashes {
  const type = derivationKind(derivation);
  const names = [...derivation.outputs.keys()];
  if (type === "fixed")
    return { kind: "regular", hashes: new Map(names.map((name) => [name, fixedHash(derivation, name)])) };
  if (type === "impure")
    return { kind: "deferred", hashes: new Map(names.map((name) => [name, hashHex("sha256", "impure")])) };
  // An output that looks deferred may only be not filled in yet: what decides is whether some input is deferred.
  let kind: DerivationHashes["kind"] = type === "floating" ? "deferred" : "regular";
  const inputs = new Map<string, DerivationInput>();
  for (const [drvPath, input] of derivation.inputDerivations) {
    const resolved = resolve(drvPath);
    if (resolved.kind === "deferred") kind = "deferred";
    for (const name of input.outputs) addInput(inputs, outputHash(resolved, drvPath, name), name);
  }
  const hash = hashHex("sha256", printWithInputs(parts ?? derivationParts(derivation, mask), inputs));
  return { kind, hashes: new Map(names.map((name) => [name, hash])) };
}

/** Two derivations with one hash (two ways to fetch the same thing) become one input. */
function addInput(inputs: Map<string, DerivationInput>, hash: string, name: string): void {
  const outputs = inputs.get(hash)?.outputs ?? [];
  if (!outputs.includes(name)) inputs.set(hash, { outputs: [...outputs, name] });
}

function outputHash(resolved: DerivationHashes, drvPath: StorePath, name: string): string {
  const hash = resolved.hashes.get(name);
  if (hash === undefined) throw termError(`derivation '${drvPath}' does not have an output named '${name}'`, 0);
  return hash;
}

function fixedHash(derivation: Derivation, name: string): string {
  const { path, hashAlgorithm, hash } = derivation.outputs.get(name) as DerivationOutput;
  return hashHex("sha256", `fixed:out:${hashAlgorithm}:${hash}:${path}`);
}

/**
 * `resolve` for `hashDerivationModulo`: reads each input once, by its path, and keeps its hashes. `partsOf` gives an input's parts, if
 * they are at hand.
 */
export function createModuloCache(
  read: (drvPath: StorePath) => Derivation,
  partsOf?: (drvPath: StorePath) => DerivationParts | undefined,
): (drvPath: StorePath) => DerivationHashes {
  const known = new Map<StorePath, DerivationHashes>();
  const resolve = (drvPath: StorePath): DerivationHashes => {
    const cached = known.get(drvPath);
    if (cached !== undefined) return cached;
    const hashes = hashDerivationModulo(read(drvPath), false, resolve, partsOf?.(drvPath));
    known.set(drvPath, hashes);
    return hashes;
  };
  return resolve;
}

/** The derivation with its input-addressed output paths filled in, in the outputs and in the environment. */
export function fillOutputPaths(
  derivation: Derivation,
  name: string,
  hashes: DerivationHashes,
  storeDir = DEFAULT_STORE_DIR,
): Derivation {
  const outputs = new Map(derivation.outputs);
  const env = new Map(derivation.env);
  for (const [outputName, output] of derivation.outputs) {
    if (output.hashAlgorithm !== "") continue;
    const hash = parseBareHash(hashes.hashes.get(outputName) as string, "sha256");
    const path = makeOutputPath(hash, outputName, name, storeDir);
    outputs.set(outputName, { ...output, path });
    env.set(outputName, path);
  }
  return { ...derivation, outputs, env };
}

/** Where a derivation's .drv lies: a text object with all inputs as references. `name` comes without ".drv". */
export function derivationPath(
  derivation: Derivation,
  name: string,
  text: ByteString = printDerivation(derivation),
  storeDir = DEFAULT_STORE_DIR,
): StorePath {
  return makeTextPath(`${name}.drv`, text, derivationReferences(derivation), storeDir);
}

/** The references of a .drv file: its sources and its input derivations, sorted, each once. */
export function derivationReferences(derivation: Derivation): StorePath[] {
  return [...new Set([...derivation.inputSources, ...derivation.inputDerivations.keys()])].sort(compareByteStrings);
}

// Placeholders

/** `builtins.placeholder name`: stands for an output's path inside its own derivation. */
export function hashPlaceholder(outputName: string): ByteString {
  return `/${encodeNix32(sha256Bytes(`nix-output:${outputName}`))}`;
}

/** Stands for the unknown path of another derivation's (content-addressed) output. */
export function downstreamPlaceholder(drvPath: StorePath, outputName: string): ByteString {
  return `/${encodeNix32(downstreamHash(drvPath, outputName).bytes)}`;
}

function downstreamHash(drvPath: StorePath, outputName: string): Hash {
  const pathName = outputPathName(derivationName(drvPath), outputName);
  return hashOf("sha256", `nix-upstream-output:${hashPartOf(drvPath)}:${pathName}`);
}

/** Stands for output `outputs[n]` of the derivation that output `outputs[n - 1]` … of `drvPath` is (dynamic derivations). */
export function dynamicPlaceholder(drvPath: StorePath, outputs: readonly string[]): ByteString {
  const [first, ...rest] = outputs;
  let hash = downstreamHash(drvPath, first as string);
  for (const name of rest) {
    const compressed = encodeNix32(compressDigest(hash.bytes, 20));
    hash = hashOf("sha256", `nix-computed-output:${compressed}:${name}`);
  }
  return `/${encodeNix32(hash.bytes)}`;
}
