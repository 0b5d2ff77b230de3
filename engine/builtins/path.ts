/**
 * Paths: reading the outside, copying it to the store, importing code.
 */
import { checkAllowed } from "#engine/eval/allowed-paths.ts";
import { canonPath } from "#engine/eval/canon-path.ts";
import { coerceToPath, coerceToString } from "#engine/eval/coerce.ts";
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError, addTrace } from "#engine/eval/error.ts";
import { expectedError, isCallable } from "#engine/eval/expect.ts";
import { IoError, type FileType, type SourceTree } from "#engine/eval/io.ts";
import { Keys, compareNames } from "#engine/eval/keys.ts";
import { missingPath, resolveLinks, statFollowing } from "#engine/eval/paths.ts";
import { attributePos, type Pos } from "#engine/eval/positions.ts";
import { printName } from "#engine/eval/print.ts";
import { realiseContext } from "#engine/eval/realise.ts";
import { sortedEntries, sourceTree } from "#engine/eval/source-tree.ts";
import { namesInOrder } from "#engine/eval/symbols.ts";
import { Attrs, ContextString, NixPath, contextOf, isString, makeString, textOf } from "#engine/eval/value.ts";
import type { NixFunction, Slot } from "#engine/eval/value.ts";
import { parseHash, printHash } from "#engine/store/format/hash.ts";
import {
  hashPartOf,
  isInStore,
  makeContentPath,
  splitStorePath,
  type ContentMethod,
} from "#engine/store/format/store-path.ts";
import { demand, demandAttribute, withFormatErrors } from "./demand.ts";
import { arg, builtin, call, type BuiltinFamily, type Routine } from "./record.ts";
import { importedDerivation } from "./imported-derivation.ts";
import { realisePath } from "./realise-path.ts";
import { findInSearchPath, type SearchPathEntry } from "./search-path.ts";

/** Runs a reading of the outside; its failures become errors of the program. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof IoError)) throw thrown;
    if (thrown.code === "ENOENT") throw missingPath(thrown.path);
    throw new NixError("io", thrown.message, { data: { path: thrown.path } });
  }
}

function readFile(path: string, context: EvalContext): Slot {
  const real = resolveLinks(context.io, path);
  const status = context.io.lstat(real);
  if (status === undefined) throw missingPath(path);
  if (status.type === "directory") throw new NixError("io", "read of 4096 bytes: Is a directory");
  const text = reading(() => context.io.readFile(real));
  if (text.includes("\0"))
    throw new NixError("eval", `the contents of the file '${path}' cannot be represented as a Nix string`);
  return makeString(text, referencesIn(text, real, context));
}

/** What a file of the store mentions of what its path refers to. */
function referencesIn(text: string, path: string, context: EvalContext): Set<string> {
  const { storeDir } = context.settings;
  if (!isInStore(path, storeDir)) return new Set();
  const [storePath] = splitStorePath(path, storeDir);
  const references = context.io.references(storePath) ?? [];
  return new Set(references.filter((reference) => text.includes(hashPartOf(reference))));
}

function readDir(path: string, context: EvalContext): Slot {
  const real = resolveLinks(context.io, path);
  const status = context.io.lstat(real);
  if (status === undefined) throw missingPath(path);
  if (status.type !== "directory") throw new NixError("io", `cannot read directory "${path}": Not a directory`);
  const entries = [...reading(() => context.io.readDir(real))].sort(([a], [b]) => compareNames(a, b));
  return new Attrs(
    new Keys(entries.map(([name]) => name)),
    entries.map(([, type]) => type),
  );
}

function pathExists(path: string, mustBeDirectory: boolean, context: EvalContext): boolean {
  const real = mustBeDirectory ? statFollowing(context.io, path) : context.io.lstat(resolveParent(path, context));
  return real !== undefined && (!mustBeDirectory || real.type === "directory");
}

/** The path with links of its directories followed but not its last part. */
function resolveParent(path: string, context: EvalContext): string {
  const slash = path.lastIndexOf("/");
  if (slash <= 0) return path;
  const parent = resolveLinks(context.io, path.slice(0, slash));
  return `${parent === "/" ? "" : parent}${path.slice(slash)}`;
}

/** A filter of `builtins.path`: asked for each entry below the top with its path and type. */
type Filter = { readonly fn: NixFunction | Attrs; readonly root: string } | undefined;

function* filteredTree(path: string, shown: string, filter: Filter, context: EvalContext): Routine<SourceTree> {
  const { io } = context;
  if (filter === undefined) return sourceTree(io, path);
  const status = io.lstat(path);
  if (status?.type !== "directory") return sourceTree(io, path);
  const entries: (readonly [string, SourceTree])[] = [];
  for (const name of sortedEntries(io, path)) {
    const child = `${path === "/" ? "" : path}/${name}`;
    const childShown = `${shown === "/" ? "" : shown}/${name}`;
    if (!(yield* asksFilter(filter, childShown, io.lstat(child)?.type ?? "unknown"))) continue;
    entries.push([name, yield* filteredTree(child, childShown, filter, context)]);
  }
  return { type: "directory", entries };
}

function* asksFilter(filter: Exclude<Filter, undefined>, path: string, type: FileType): Routine<boolean> {
  return yield* demand(
    yield call(filter.fn, [path, type]),
    "bool",
    "while evaluating the return value of the path filter function",
  );
}

interface AddPath {
  readonly path: string;
  readonly name: string;
  readonly fn: NixFunction | Attrs | undefined;
  readonly method: "nar" | "flat";
  readonly expected: string | undefined;
  readonly context: ReadonlySet<string>;
}

/** Copies a (filtered) path to the store, or finds it there by its expected hash. */
function* addPath(request: AddPath, context: EvalContext): Routine<Slot> {
  const { path, name, method } = request;
  try {
    realiseContext(request.context, context);
    checkAllowed(path, context);
    const expected = expectedPath(request, context);
    if (expected !== undefined && context.io.isValidPath(expected)) return storeString(expected);
    const top = resolveLinks(context.io, path);
    const filter = request.fn === undefined ? undefined : { fn: request.fn, root: path };
    const tree = yield* filteredTree(top, path, filter, context);
    if (method === "flat" && tree.type !== "regular") {
      throw new NixError("eval", `path '${path}' is not a regular file`);
    }
    const storePath = withFormatErrors(() =>
      context.io.addSource({ name, method, tree, dryRun: context.settings.readOnly }),
    );
    if (expected !== undefined && expected !== storePath) {
      throw new NixError("eval", `store path mismatch in (possibly filtered) path added from '${path}'`);
    }
    return storeString(storePath);
  } catch (thrown) {
    throw addTrace(thrown, `while adding path '${path}'`);
  }
}

function expectedPath({ expected, name, method }: AddPath, context: EvalContext): string | undefined {
  if (expected === undefined) return undefined;
  return withFormatErrors(() => {
    const hash = parseHash(expected, "sha256");
    printHash(hash, "sri");
    return makeContentPath(
      { method: method satisfies ContentMethod, hash },
      name,
      undefined,
      context.settings.storeDir,
    );
  });
}

const storeString = (path: string): ContextString => new ContextString(path, new Set([path]));

const baseNameOfText = (text: string): string => {
  const trimmed = text.endsWith("/") && text.length > 1 ? text.slice(0, -1) : text;
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
};

function dirOfText(text: string): string {
  const slash = text.lastIndexOf("/");
  if (slash < 0) return ".";
  return slash === 0 ? "/" : text.slice(0, slash);
}

function* filterFunction(slot: Slot, pos: Pos | undefined): Routine<NixFunction | Attrs> {
  try {
    const value = yield slot;
    if (isCallable(value)) return value as NixFunction | Attrs;
    throw expectedError("a function", value, pos);
  } catch (thrown) {
    throw addTrace(thrown, "while evaluating the `filter` parameter passed to builtins.path", pos);
  }
}

/** A hash that can be read; which one is compared later. */
function checkedHash(text: string): string {
  if (text !== "") withFormatErrors(() => parseHash(text, "sha256"));
  return text;
}

/** The arguments of `builtins.path`. */
function* pathArguments(set: Attrs, { symbols }: EvalContext): Routine<AddPath> {
  let source: { path: string; context: ReadonlySet<string> } | undefined;
  let name: string | undefined;
  let fn: NixFunction | Attrs | undefined;
  let method: "nar" | "flat" = "nar";
  let expected: string | undefined;
  for (const key of namesInOrder(set, symbols)) {
    const slot = set.get(key)!;
    const pos = attributePos(set.positions, set.keys, key);
    const where = (what: string): string => `while evaluating the \`${what}\` attribute passed to builtins.path`;
    if (key === "path")
      source = yield* coerceToPath(slot, "while evaluating the 'path' attribute passed to 'builtins.path'", pos);
    else if (key === "name") name = yield* demandAttribute(set, key, "plain", where("name"));
    else if (key === "filter") fn = yield* filterFunction(slot, pos);
    else if (key === "recursive")
      method = (yield* demandAttribute(set, key, "bool", where("recursive"))) ? "nar" : "flat";
    else if (key === "sha256") expected = checkedHash(yield* demandAttribute(set, key, "plain", where("sha256")));
    else throw new NixError("eval", `unsupported argument '${printName(key)}' to 'builtins.path'`, { pos });
  }
  if (source === undefined)
    throw new NixError("eval", "missing required 'path' attribute in the first argument to 'builtins.path'");
  return { ...source, name: name ?? baseNameOfText(source.path), fn, method, expected };
}

function* searchEntries(list: readonly Slot[], context: EvalContext): Routine<SearchPathEntry[]> {
  const entries: SearchPathEntry[] = [];
  for (const element of list) {
    const set = yield* demand(element, "attrs", "while evaluating an element of the list passed to builtins.findFile");
    const prefix = set.get("prefix");
    const where = "while evaluating the `prefix` attribute of an element of the list passed to builtins.findFile";
    const prefixText = prefix === undefined ? "" : yield* demand(prefix, "plain", where);
    const path = set.get("path");
    if (path === undefined) {
      throw new NixError("missing", "attribute 'path' missing").within("in an element of the __nixPath");
    }
    const pathWhere = "while evaluating the `path` attribute of an element of the list passed to builtins.findFile";
    const string = yield* coerceToString(path, { context: pathWhere });
    realiseContext(contextOf(string), context);
    entries.push({ prefix: prefixText, path: textOf(string) });
  }
  return entries;
}

export const pathBuiltins: BuiltinFamily = [
  builtin({
    name: "baseNameOf",
    global: true,
    args: [arg("x", "lazy")],
    doc: "Returns the part of a path or string after its last slash; one trailing slash is ignored.",
    *routine([x]) {
      const context = "while evaluating the first argument passed to builtins.baseNameOf";
      const string = yield* coerceToString(x, { context });
      return makeString(baseNameOfText(textOf(string)), contextOf(string));
    },
  }),
  builtin({
    name: "dirOf",
    global: true,
    args: [arg("s", "any")],
    doc: "Returns the directory of a path (as a path) or of a string (as a string).",
    *routine([s]) {
      if (s instanceof NixPath) return new NixPath(dirOfText(s.path));
      const string = yield* coerceToString(s, {
        context: "while evaluating the first argument passed to 'builtins.dirOf'",
      });
      return makeString(dirOfText(textOf(string)), contextOf(string));
    },
  }),
  builtin({
    name: "filterSource",
    args: [arg("f", "lazy"), arg("path", "lazy")],
    doc: "Copies *path* to the store without the files for which *f*, called with path and type, returns `false`. `path` does more.",
    *routine([f, slot], context) {
      const where = "while evaluating the second argument (the path to filter) passed to 'builtins.filterSource'";
      const source = yield* coerceToPath(slot, where);
      const fn = yield* demand(f, "function", "while evaluating the first argument passed to builtins.filterSource");
      const name = baseNameOfText(source.path);
      return yield* addPath({ ...source, name, fn, method: "nar", expected: undefined }, context);
    },
  }),
  builtin({
    name: "findFile",
    args: [arg("searchPath", "list"), arg("lookupPath", "lazy")],
    doc: "Finds a file in a search path, a list of `{ prefix; path; }`: what `<name>` does with `nixPath`.",
    *routine([list, name], context) {
      const entries = yield* searchEntries(list, context);
      const wanted = yield* demand(name, "plain", "while evaluating the second argument passed to builtins.findFile");
      return new NixPath(findInSearchPath(entries, wanted, context));
    },
  }),
  builtin({
    name: "import",
    global: true,
    args: [arg("path", "lazy")],
    doc: "Loads, parses and returns the Nix expression in a file, or in the `default.nix` of a directory.",
    *routine([slot], context) {
      const path = yield* realisePath(slot, context);
      return importedDerivation(path, context) ?? (yield* context.importFile(path));
    },
  }),
  builtin({
    name: "path",
    args: [arg("args", "attrs", "while evaluating the argument passed to 'builtins.path'")],
    doc: "Copies `path` to the store: under `name`, without what `filter` refuses, as a single file when `recursive` is `false`, checked against `sha256`.",
    *routine([set], context) {
      return yield* addPath(yield* pathArguments(set, context), context);
    },
  }),
  builtin({
    name: "pathExists",
    args: [arg("path", "lazy")],
    doc: "Returns `true` if something exists at *path*; a dangling link counts.",
    *routine([slot], context) {
      const value = yield slot;
      const directory = isString(value) && /(\/|\/\.)$/.test(textOf(value));
      try {
        return pathExists(yield* realisePath(value, context), directory, context);
      } catch (thrown) {
        if (thrown instanceof NixError && thrown.kind === "restricted") return false;
        throw thrown;
      }
    },
  }),
  builtin({
    name: "readDir",
    args: [arg("path", "lazy")],
    doc: 'Returns the entries of a directory: name to `"regular"`, `"directory"`, `"symlink"` or `"unknown"`.',
    *routine([slot], context) {
      return readDir(yield* realisePath(slot, context), context);
    },
  }),
  builtin({
    name: "readFile",
    args: [arg("path", "lazy")],
    doc: "Returns the contents of a file as a string.",
    *routine([slot], context) {
      return readFile(yield* realisePath(slot, context), context);
    },
  }),
  builtin({
    name: "readFileType",
    args: [arg("p", "lazy")],
    doc: 'Returns what is at a path: `"regular"`, `"directory"`, `"symlink"` or `"unknown"`.',
    *routine([slot], context) {
      const path = yield* realisePath(slot, context);
      const status = context.io.lstat(resolveParent(path, context));
      if (status === undefined) throw missingPath(path);
      return status.type;
    },
  }),
  builtin({
    name: "scopedImport",
    global: true,
    args: [arg("scope", "attrs"), arg("path", "lazy")],
    doc: "Like `import`, with the attributes of *scope* as additional variables of the file.",
    *routine([scope, slot], context) {
      return yield* context.importFile(yield* realisePath(slot, context), scope);
    },
  }),
  builtin({
    name: "storePath",
    args: [arg("path", "lazy")],
    doc: "Returns a path in the store as a string that depends on it, without copying it again.",
    *routine([slot], context) {
      if (context.settings.pureEval)
        throw new NixError("restricted", "'builtins.storePath' is not allowed in pure evaluation mode");
      const where = "while evaluating the first argument passed to 'builtins.storePath'";
      const { path, context: needed } = yield* coerceToPath(slot, where);
      const { storeDir } = context.settings;
      const real = isInStore(path, storeDir) ? path : resolveLinks(context.io, path);
      if (!isInStore(real, storeDir)) throw new NixError("eval", `path '${real}' is not in the Nix store`);
      const [top] = withFormatErrors(() => splitStorePath(real, storeDir));
      return new ContextString(real, new Set([...needed, top]));
    },
  }),
  builtin({
    name: "toFile",
    args: [arg("name", "plain"), arg("s", "string")],
    doc: "Stores the string *s* as a file in the store and returns its path; it may refer to other files of the store but not to outputs.",
    impl: ([name, s], context) => {
      for (const element of contextOf(s)) {
        if (!element.startsWith("!") && !element.startsWith("=")) continue;
        const shown = element.replace(`${context.settings.storeDir}/`, "");
        const message = `files created by builtins.toFile may not reference derivations, but ${name} references ${shown}`;
        throw new NixError("eval", message);
      }
      const references = [...contextOf(s)].sort(compareNames);
      return storeString(withFormatErrors(() => context.io.addText(name, textOf(s), references)));
    },
  }),
  builtin({
    name: "toPath",
    args: [arg("s", "lazy")],
    doc: 'Deprecated: turns a string into an absolute path\'s text. `/. + "path"` makes a path.',
    *routine([slot]) {
      const { path, context } = yield* coerceToPath(
        slot,
        "while evaluating the first argument passed to builtins.toPath",
      );
      return makeString(canonPath(path), context);
    },
  }),
];
