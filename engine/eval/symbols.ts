/**
 * The order in which names were first seen. C++ Nix keeps the attributes of a set in that order and evaluates them in it wherever it
 * forces a whole set; only what is printed is sorted by name. So which of several errors is reported depends on it.
 */
import type { AttrName, AttrSet, Expr } from "#engine/syntax/ast.ts";
import type { Attrs } from "./value.ts";
import type { Keys } from "./keys.ts";

/** Names that C++ Nix knows before it reads anything, in its order; `_x` is `__x` and then `x`. */
const wellKnown = `
outPath drvPath type meta name value system __overrides outputs outputName __ignoreNulls file line column __functor
__toString right wrong __structuredAttrs __json allowedReferences allowedRequisites disallowedReferences
disallowedRequisites maxSize maxClosureSize builder args __contentAddressed __impure outputHash outputHashAlgo
outputHashMode recurseForDerivations description self startSet operator key path prefix outputSpecified __sub
__lessThan __mul __div or __findFile __nixPath body builtins true false null _currentTime _currentSystem _nixVersion
_storeDir _langVersion _traceVerbose nixPath scopedImport import _typeOf isNull _isFunction _isInt _isFloat _isString
_isBool _isPath _genericClosure break abort throw _addErrorContext _ceil _floor _tryEval _getEnv _seq _deepSeq _trace
_warn derivationStrict placeholder _toPath _storePath _pathExists baseNameOf dirOf _readFile findFile _hashFile
_readFileType _readDir _toXML _toJSON _fromJSON _toFile _filterSource __path _attrNames _attrValues _getAttr
_unsafeGetAttrPos _hasAttr _isAttrs removeAttrs _listToAttrs _intersectAttrs _catAttrs _functionArgs _mapAttrs
_zipAttrsWith _isList _elemAt _head _tail map _filter _elem _concatLists _length _foldl' _any _all _genList _sort
_partition _groupBy _concatMap _add sub mul div _bitAnd _bitOr _bitXor lessThan toString _substring _stringLength
_hashString _convertHash _match _split _concatStringsSep _replaceStrings _parseDrvName _compareVersions _splitVersion
_unsafeDiscardStringContext _hasContext _unsafeDiscardOutputDependency _addDrvOutputDependencies _getContext
_appendContext fetchMercurial fetchTree fetchFinalTree _fetchurl fetchTarball fetchGit fromTOML _getFlake
_parseFlakeRef _flakeRefToString derivation strict drvAttrs commonAttrs outputsList x outputToAttrListElement
`;

/** Names by the order they were met in. */
export class SymbolTable {
  private readonly order = new Map<string, number>();

  constructor() {
    for (const word of wellKnown.trim().split(/\s+/)) {
      const isBoth = /^_[^_]/.test(word);
      this.intern(isBoth ? `_${word}` : word);
      if (isBoth) this.intern(word.slice(1));
    }
  }

  intern(name: string): number {
    const known = this.order.get(name);
    if (known !== undefined) return known;
    this.order.set(name, this.order.size);
    return this.order.size - 1;
  }

  /** Interns the names of a text in the order in which C++ Nix's parser completes them. */
  internAll(expr: Expr): void {
    const stack: (Expr | string)[] = [expr];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (typeof next === "string") this.intern(next);
      else if (next.kind === "var") this.intern(next.name);
      else {
        const parts = namesAndParts(next);
        for (let i = parts.length - 1; i >= 0; i--) stack.push(parts[i]!);
      }
    }
  }
}

/** Indices of the values of a set in the order in which C++ Nix goes through them. */
export function evaluationOrder(set: Attrs, table: SymbolTable): readonly number[] {
  const keys: Keys = set.keys;
  if (keys.order === undefined) {
    const ids = keys.names.map((name) => table.intern(name));
    keys.order = ids.map((_id, index) => index).sort((a, b) => ids[a]! - ids[b]!);
  }
  return keys.order;
}

/** The names of a set in that order. */
export const namesInOrder = (set: Attrs, table: SymbolTable): string[] =>
  evaluationOrder(set, table).map((index) => set.keys.names[index]!);

const pathParts = (path: readonly AttrName[]): (Expr | string)[] =>
  path.map((name) => (name.kind === "static-name" ? name.name : name.expr));

function namesAndParts(expr: Expr): (Expr | string)[] {
  switch (expr.kind) {
    case "interpolation":
    case "path-interpolation":
      return expr.parts.flatMap((part) => (part.kind === "antiquote" ? [part.expr] : []));
    case "select":
      return [expr.target, ...pathParts(expr.path), ...(expr.fallback === null ? [] : [expr.fallback])];
    case "has-attr":
      return [expr.target, ...pathParts(expr.path)];
    case "attr-set":
      return setParts(expr);
    case "let":
      return [...setParts(expr.attrs), expr.body];
    case "list":
      return [...expr.elements];
    case "lambda": {
      const formals =
        expr.formals?.formals.flatMap((formal) =>
          formal.fallback === null ? [formal.name] : [formal.fallback, formal.name],
        ) ?? [];
      return [...formals, expr.body, ...(expr.param === null ? [] : [expr.param.name])];
    }
    case "apply":
      return [expr.func, ...expr.args];
    case "if":
      return [expr.condition, expr.then, expr.otherwise];
    case "with":
      return [expr.scope, expr.body];
    case "assert":
      return [expr.condition, expr.body];
    case "not":
    case "negate":
      return [expr.operand];
    case "binary":
      return [expr.left, expr.right];
    default:
      return [];
  }
}

function setParts(set: AttrSet): (Expr | string)[] {
  const parts: (Expr | string)[] = [];
  const sources = new Set<number>();
  for (const attr of set.attrs) {
    if (attr.kind === "inherit-from" && !sources.has(attr.from)) {
      sources.add(attr.from);
      parts.push(set.inheritFrom[attr.from]!);
    }
    parts.push(attr.name);
    if (attr.kind === "plain") parts.push(attr.value);
  }
  for (const attr of set.dynamic) parts.push(attr.name, attr.value);
  return parts;
}
