/**
 * A flake's file: fetched, parsed, and read as far as pinning its inputs needs. What it declares must be written out: a value that would
 * have to be computed is refused, so that a flake's inputs can be known without evaluating anything.
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError, addTrace } from "#engine/eval/error.ts";
import { canonPath } from "#engine/eval/canon-path.ts";
import { missingPath, shownPath } from "#engine/eval/paths.ts";
import { attributePos } from "#engine/eval/positions.ts";
import type { Pos } from "#engine/eval/positions.ts";
import { printPos } from "#engine/eval/print.ts";
import { copyToStore } from "#engine/eval/source-tree.ts";
import { Attrs, Lambda, NixPath, describeType, isInt, isList, isString, textOf } from "#engine/eval/value.ts";
import type { Slot, Value } from "#engine/eval/value.ts";
import type { AttrSet, Expr } from "#engine/syntax/ast.ts";
import { parse } from "#engine/syntax/parser.ts";
import { fileSource } from "#engine/syntax/source.ts";
import { fetchInput } from "./fetch.ts";
import type { FetchedTree } from "./fetch.ts";
import { checkInput, parseFlakeRef, parseUrl, percentDecode, printFlakeRef } from "./flake-ref.ts";
import type { InputAttr, InputAttrs } from "./flake-ref.ts";
import { type RegistryUse, resolveIndirect } from "./flake-registry.ts";
import type { Routine } from "./record.ts";

/** An input as `flake.nix` declares it. */
export interface FlakeInput {
  readonly ref: InputAttrs | undefined;
  readonly isFlake: boolean;
  /** The input path of what is taken instead, from the root of the lock file. */
  readonly follows: readonly string[] | undefined;
  /** Changes to the inputs of this input, by name. */
  readonly overrides: FlakeInputs;
}

export type FlakeInputs = ReadonlyMap<string, FlakeInput>;

export type ConfigValue = string | boolean | bigint | readonly string[];

/** A flake that was fetched, with what its file declares. */
export interface Flake {
  /** What was asked for, what that stands for, and what it is pinned to. */
  readonly original: InputAttrs;
  readonly resolved: InputAttrs;
  readonly locked: InputAttrs;
  readonly tree: FetchedTree;
  readonly dir: string;
  readonly description: string | undefined;
  readonly inputs: FlakeInputs;
  /** `nixConfig`, by name. */
  readonly config: ReadonlyMap<string, ConfigValue>;
}

const error = (message: string, pos?: Pos): NixError => new NixError("eval", message, { pos });

/** A reference without its `dir`, and that. */
export function splitDir(ref: InputAttrs): { input: Map<string, InputAttr>; dir: string } {
  const input = new Map(ref);
  const dir = input.get("dir");
  input.delete("dir");
  return { input, dir: typeof dir === "string" ? dir : "" };
}

export const withDir = (attrs: InputAttrs, dir: string): InputAttrs =>
  dir === "" ? attrs : new Map([...attrs, ["dir", dir]]);

/** Is it a path within the flake that names it? */
export const isRelative = (ref: InputAttrs): boolean =>
  ref.get("type") === "path" && !String(ref.get("path")).startsWith("/");

/** A tree that a reference leads to. */
export interface ResolvedTree {
  readonly resolved: InputAttrs;
  readonly locked: InputAttrs;
  readonly tree: FetchedTree;
  readonly dir: string;
}

/** Fetches what a reference stands for. */
export function fetchRef(ref: InputAttrs, use: RegistryUse, context: EvalContext): ResolvedTree {
  const asked = splitDir(ref);
  checkInput(asked.input);
  const resolved = resolveIndirect(asked.input, use, context);
  const { input, dir: inner } = splitDir(resolved);
  const dir = asked.dir === "" ? inner : asked.dir;
  const tree = fetchInput(input, context);
  return { resolved: withDir(input, dir), locked: withDir(tree.attrs, dir), tree, dir };
}

/** Fetches a flake and reads its file. `root` is its input path in the lock file that is made. */
export function* readFlake(
  ref: InputAttrs,
  use: RegistryUse,
  root: readonly string[],
  context: EvalContext,
): Routine<Flake> {
  const found = fetchRef(ref, use, context);
  const flake = yield* readFlakeIn({ ...found, original: ref }, root, context);
  const { self } = flake;
  if (self.size === 0 || found.tree.attrs.get("type") !== "git") return flake;
  const again = fetchRef(new Map([...found.resolved, ...self]), "none", context);
  return { ...flake, ...again };
}

/** Where a flake lies, and how it was come by. */
export interface FlakePlace extends ResolvedTree {
  readonly original: InputAttrs;
}

/** Reads the file of a flake that lies in a tree. */
export function* readFlakeIn(
  place: FlakePlace,
  root: readonly string[],
  context: EvalContext,
): Routine<Flake & { readonly self: InputAttrs }> {
  const file = canonPath(`${place.tree.storePath}/${place.dir}/flake.nix`);
  checkPresent(file, place, context);
  const shownFile = shownPath(file);
  const source = fileSource(file, context.io.readFile(file));
  const { ast, diagnostics } = parse(source);
  if (diagnostics.length === 0 && ast.kind !== "attr-set") {
    throw error(`file '${shownFile}' must be an attribute set`).within(`while evaluating the file '${shownFile}':`);
  }
  const value = (yield* context.importFile(file)) as Attrs;
  const reader: Reader = { shown: printFlakeRef(place.original), root, context };
  const top = membersOf(value, ast as AttrSet);
  const description = top.get("description");
  const text =
    description === undefined ? undefined : textOf((yield* trivial(description, "a string", isString)) as string);
  const inputs = top.get("inputs");
  const declared =
    inputs === undefined
      ? { inputs: new Map<string, FlakeInput>(), self: new Map() }
      : yield* parseInputs(inputs, reader);
  const all = yield* withArguments(declared.inputs, top.get("outputs"), reader);
  const config = top.get("nixConfig");
  const settings = config === undefined ? new Map<string, ConfigValue>() : yield* parseConfig(config);
  for (const [name, { pos }] of top) {
    if (FLAKE_ATTRIBUTES.includes(name)) continue;
    throw error(`flake '${reader.shown}' has an unsupported attribute '${name}', at ${placeOf(pos)}`);
  }
  return { ...place, description: text, inputs: all, config: settings, self: declared.self };
}

const FLAKE_ATTRIBUTES = ["description", "inputs", "nixConfig", "outputs"];

/** A file that is there, as its tree sees it. */
function checkPresent(file: string, { tree }: FlakePlace, { io, settings }: EvalContext): void {
  if (settings.pureEval && !file.startsWith(`${tree.storePath}/`)) {
    const message = `access to absolute path '${file}' is forbidden in pure evaluation mode (use '--impure' to override)`;
    throw new NixError("restricted", message);
  }
  if (io.lstat(file) === undefined) throw missingPath(file);
}

interface Reader {
  /** The flake's reference, for messages. */
  readonly shown: string;
  readonly root: readonly string[];
  readonly context: EvalContext;
}

/** An attribute with the text that it comes from. */
interface Member {
  readonly slot: Slot;
  readonly expr: Expr | undefined;
  readonly pos: Pos | undefined;
}

function membersOf(set: Attrs, ast: Expr | undefined): Map<string, Member> {
  const exprs = new Map<string, Expr>();
  if (ast?.kind === "attr-set") {
    for (const attr of ast.attrs) if (attr.kind !== "inherit-from") exprs.set(attr.name, attr.value);
  }
  return new Map(
    set.keys.names.map((name, index): [string, Member] => [
      name,
      { slot: set.values[index]!, expr: exprs.get(name), pos: attributePos(set.positions, set.keys, name) },
    ]),
  );
}

const placeOf = (pos: Pos | undefined): string => (pos === undefined ? "\xc2\xabnone\xc2\xbb:0" : printPos(pos));

/** Is the value of an expression known as soon as it is read? */
function isTrivial(expr: Expr | undefined): boolean {
  switch (expr?.kind) {
    case "int":
    case "float":
    case "string":
    case "path":
    case "list":
    case "lambda":
    case "var":
      return true;
    case "attr-set":
      return expr.dynamic.length === 0;
    default:
      return false;
  }
}

/** The value of an attribute that has to be written out. @throws NixError when it is computed, or of another type */
function* trivial(member: Member, wanted: string, isWanted: (value: Value) => boolean): Routine<Value> {
  const value = isTrivial(member.expr) ? yield member.slot : undefined;
  if (value !== undefined && isWanted(value)) return value;
  const got = value === undefined ? "a thunk" : describeType(value);
  throw new NixError("type", `expected ${wanted} but got ${got} at ${placeOf(member.pos)}`);
}

const isSet = (value: Value): boolean => value instanceof Attrs;

function* trivialSet(member: Member): Routine<Map<string, Member>> {
  return membersOf((yield* trivial(member, "a set", isSet)) as Attrs, member.expr);
}

/** The inputs with those that only the arguments of `outputs` name: they are looked up under their names. */
function* withArguments(declared: FlakeInputs, outputs: Member | undefined, reader: Reader): Routine<FlakeInputs> {
  if (outputs === undefined) throw error(`flake '${reader.shown}' lacks attribute 'outputs'`);
  const value = yield* trivial(outputs, "a function", (given) => given instanceof Lambda);
  const inputs = new Map(declared);
  for (const { name } of (value as Lambda).code.formals ?? []) {
    if (name !== "self" && !inputs.has(name)) inputs.set(name, { ...NOTHING, ref: indirect(name) });
  }
  return inputs;
}

const NOTHING: FlakeInput = { ref: undefined, isFlake: true, follows: undefined, overrides: new Map() };

const indirect = (id: string): InputAttrs =>
  new Map([
    ["type", "indirect"],
    ["id", id],
  ]);

interface DeclaredInputs {
  readonly inputs: Map<string, FlakeInput>;
  /** How the flake's own repository is to be fetched (`inputs.self.submodules`). */
  readonly self: InputAttrs;
}

/** `isOverride`: these are changes to the inputs of an input; what they do not say stays as that declares it. */
function* parseInputs(member: Member, reader: Reader, isOverride = false): Routine<DeclaredInputs> {
  const inputs = new Map<string, FlakeInput>();
  const self = new Map<string, InputAttr>();
  for (const [name, input] of yield* trivialSet(member)) {
    if (name !== "self") inputs.set(name, yield* parseInput(name, input, reader, isOverride));
    else for (const [key, attr] of yield* trivialSet(input)) self.set(key, inputAttr(key, yield attr.slot));
  }
  return { inputs, self };
}

const isText = (value: Value): boolean => isString(value) || value instanceof NixPath;
const isBool = (value: Value): boolean => typeof value === "boolean";

function* parseInput(name: string, member: Member, reader: Reader, isOverride: boolean): Routine<FlakeInput> {
  const attrs = new Map<string, InputAttr>();
  let url: string | undefined;
  let { isFlake, follows, overrides } = NOTHING;
  const members = yield* trivialSet(member);
  for (const [key, attribute] of members) {
    try {
      if (key === "url") {
        const value = yield* trivial(attribute, "a string or a path", isText);
        url = value instanceof NixPath ? value.path : textOf(value as string);
        attrs.set(key, url);
      } else if (key === "flake") isFlake = (yield* trivial(attribute, "a Boolean", isBool)) as boolean;
      else if (key === "inputs") overrides = (yield* parseInputs(attribute, reader, true)).inputs;
      else if (key === "follows") {
        const text = textOf((yield* trivial(attribute, "a string", isString)) as string);
        follows = [...reader.root, ...(text === "" ? [] : text.split("/"))];
      } else attrs.set(key, inputAttr(key, yield attribute.slot));
    } catch (thrown) {
      throw addTrace(thrown, `while evaluating flake attribute '${key}'`, attribute.pos);
    }
  }
  if (attrs.has("type")) {
    try {
      checkInput(splitDir(attrs).input);
    } catch (thrown) {
      throw addTrace(thrown, "while evaluating flake input", member.pos);
    }
    return { ref: attrs, isFlake, follows, overrides };
  }
  const strange = [...attrs.keys()].find((key) => key !== "url");
  if (strange !== undefined) throw error(`unexpected flake input attribute '${strange}', at ${placeOf(member.pos)}`);
  if (url !== undefined) return { ref: parseInputUrl(url), isFlake, follows, overrides };
  return { ref: follows === undefined && !isOverride ? indirect(name) : undefined, isFlake, follows, overrides };
}

/** A reference in a `flake.nix`, where paths may be relative to the flake. */
function parseInputUrl(url: string): InputAttrs {
  if (parseUrl(url) !== undefined || url.startsWith("/") || /^[a-zA-Z][a-zA-Z0-9_-]*([/#]|$)/.test(url)) {
    return parseFlakeRef(url);
  }
  const [, path, query] = /^([^?#]*)(?:\?([^#]*))?/s.exec(url)!;
  const dir = /(?:^|&)dir=([^&]*)/.exec(query ?? "")?.[1];
  const ref = new Map<string, InputAttr>([
    ["type", "path"],
    ["path", path!],
  ]);
  return withDir(ref, percentDecode(dir ?? ""));
}

function inputAttr(name: string, value: Value): InputAttr {
  if (typeof value === "boolean") return value;
  if (isString(value)) return textOf(value);
  if (isInt(value)) return BigInt(value);
  const message = `flake input attribute '${name}' is ${describeType(value)} while a string, Boolean, or integer is expected`;
  throw new NixError("type", message);
}

function* parseConfig(member: Member): Routine<Map<string, ConfigValue>> {
  const config = new Map<string, ConfigValue>();
  for (const [name, setting] of yield* trivialSet(member)) {
    const value = isTrivial(setting.expr) ? yield setting.slot : undefined;
    config.set(name, yield* configValue(name, value));
  }
  return config;
}

function* configValue(name: string, value: Value | undefined): Routine<ConfigValue> {
  if (value instanceof NixPath) return copyToStore(value.path);
  if (typeof value === "boolean") return value;
  if (value !== undefined && isString(value)) return textOf(value);
  if (value !== undefined && isInt(value)) return BigInt(value);
  if (value === undefined || !isList(value)) {
    const found = value === undefined ? "a thunk" : describeType(value);
    throw new NixError("type", `flake configuration setting '${name}' is ${found}`);
  }
  const texts: string[] = [];
  for (const item of value) {
    const text = yield item;
    if (!isString(text)) {
      throw new NixError(
        "type",
        `list element in flake configuration setting '${name}' is ${describeType(text)} while a string is expected`,
      );
    }
    texts.push(textOf(text));
  }
  return texts;
}
