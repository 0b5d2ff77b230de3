/**
 * Builtins that bring something in from outside, and `Io.fetch` does the bringing: here are the arguments, the checks, the
 * store paths that a given hash already determines, and the sets that come back. The texts of errors are Nix's.
 */
import { coerceToString } from "#engine/eval/coerce.ts";
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError, addTrace } from "#engine/eval/error.ts";
import { IoError } from "#engine/eval/io.ts";
import type { FetchRequest, FetchResult } from "#engine/eval/io.ts";
import { attributePos } from "#engine/eval/positions.ts";
import type { Pos } from "#engine/eval/positions.ts";
import { printName } from "#engine/eval/print.ts";
import { namesInOrder } from "#engine/eval/symbols.ts";
import { Attrs, ContextString, NixPath, describeType, isInt, isString, normalInt, textOf } from "#engine/eval/value.ts";
import type { NixString, Slot, Value } from "#engine/eval/value.ts";
import { parseHash, parseSriHash, printHash, zeroHash } from "#engine/store/format/hash.ts";
import type { Hash } from "#engine/store/format/hash.ts";
import { makeContentPath, splitStorePath, storeNameProblem } from "#engine/store/format/store-path.ts";
import { demand, demandAttribute, withFormatErrors } from "./demand.ts";
import { checkInput, inputFromUrl, inputUrl, isLocked, parseUrl, printUrl, revOf } from "./flake-ref.ts";
import type { InputAttr, InputAttrs } from "./flake-ref.ts";
import { resolveIndirect } from "./flake-registry.ts";
import { attrsOf } from "./json-parse.ts";
import { arg, builtin } from "./record.ts";
import type { BuiltinFamily, Routine } from "./record.ts";

const error = (message: string, pos?: Pos): NixError => new NixError("eval", message, { pos });

/** A store path as a string that refers to it. */
const storeString = (path: string): NixString => new ContextString(path, new Set([path]));

/** Restricted evaluation only reaches addresses that `allowed-uris` covers. */
function checkUri(uri: string, { settings }: EvalContext): void {
  if (!settings.restrictEval) return;
  const isAllowed = settings.allowedUris.some((prefix) => {
    if (!uri.startsWith(prefix)) return false;
    return (
      uri.length === prefix.length || prefix.endsWith("/") || uri[prefix.length] === "/" || /^[^/]+:$/.test(prefix)
    );
  });
  if (!isAllowed) throw new NixError("restricted", `access to URI '${uri}' is forbidden in restricted mode`);
}

/** Asks the outside; what it cannot do becomes an error of the program. */
function fetch(request: FetchRequest, { io }: EvalContext): FetchResult {
  try {
    return io.fetch(request);
  } catch (thrown) {
    throw thrown instanceof IoError ? new NixError("io", thrown.message) : thrown;
  }
}

/** As `fetch`, with the address in the trace of what goes wrong. */
function fetchTraced(request: FetchRequest, context: EvalContext): FetchResult {
  try {
    return fetch(request, context);
  } catch (thrown) {
    throw addTrace(thrown, `while fetching the input '${request.url}'`);
  }
}

// fetchurl and fetchTarball

type Download = "fetchurl" | "fetchTarball";

interface DownloadArguments {
  readonly url: string;
  readonly name: string;
  /** Whether the caller gave the name, or at least a set to give it in. */
  readonly nameFrom: "attribute" | "set" | "url";
  readonly hash: Hash | undefined;
}

const EMPTY_HASH_WARNING = (): string => `found empty hash, assuming '${printHash(zeroHash("sha256"), "sri")}'`;

function parseGivenHash(text: string, { warn }: EvalContext): Hash {
  if (text !== "") return withFormatErrors(() => parseHash(text, "sha256"));
  warn(EMPTY_HASH_WARNING());
  return zeroHash("sha256");
}

function* downloadArguments(who: Download, value: Value, context: EvalContext): Routine<DownloadArguments> {
  if (!(value instanceof Attrs)) {
    const url = resolveChannel(who, yield* demand(value, "plain", "while evaluating the url we should fetch"));
    return { url, name: defaultName(who, url), nameFrom: "url", hash: undefined };
  }
  let url: string | undefined;
  let name: string | undefined;
  let hash: Hash | undefined;
  for (const attribute of namesInOrder(value, context.symbols)) {
    const take = (what: string): Routine<string> =>
      demandAttribute(value, attribute, "plain", `while evaluating the ${what} we should fetch`);
    if (attribute === "url") url = yield* take("url");
    else if (attribute === "sha256") hash = parseGivenHash(yield* take("sha256 of the content"), context);
    else if (attribute === "name") name = yield* take("name of the content");
    else throw error(`unsupported argument '${attribute}' to '${who}'`);
  }
  if (url === undefined) throw error("'url' argument required");
  const resolved = resolveChannel(who, url);
  const isNamed = name !== undefined && name !== "";
  return {
    url: resolved,
    name: isNamed ? name! : defaultName(who, resolved),
    nameFrom: isNamed ? "attribute" : "set",
    hash,
  };
}

/** `channel:NAME` is an abbreviation for archives. */
function resolveChannel(who: Download, url: string): string {
  if (who === "fetchurl" || !url.startsWith("channel:")) return url;
  return `https://channels.nixos.org/${url.slice(8)}/nixexprs.tar.xz`;
}

/** The last part of the address, without its query; archives are called "source". */
function defaultName(who: Download, url: string): string {
  if (who === "fetchTarball") return "source";
  return /([^/]*)\/?$/.exec(url.replace(/\?.*$/s, ""))![1]!;
}

const NAME_HINTS = {
  attribute: (who: string) =>
    `Please change the value for the 'name' attribute passed to '${who}', so that it can create a valid store path.`,
  set: (who: string) =>
    `Please add a valid 'name' attribute to the argument for '${who}', so that it can create a valid store path.`,
  url: (who: string) =>
    `Please pass an attribute set with 'url' and 'name' attributes to '${who}',  so that it can create a valid store path.`,
};

function* download(who: Download, value: Value, context: EvalContext): Routine<NixString> {
  const { url, name, nameFrom, hash } = yield* downloadArguments(who, value, context);
  const { io, settings } = context;
  checkUri(url, context);
  const problem = storeNameProblem(name);
  if (problem !== undefined) {
    throw error(`invalid store path name when fetching URL '${url}': ${problem}. ${NAME_HINTS[nameFrom](who)}`);
  }
  if (settings.pureEval && hash === undefined) {
    throw new NixError("restricted", `in pure evaluation mode, '${who}' requires a 'sha256' argument`);
  }
  const isTarball = who === "fetchTarball";
  const expected =
    hash === undefined
      ? undefined
      : makeContentPath({ method: isTarball ? "nar" : "flat", hash }, name, undefined, settings.storeDir);
  if (expected !== undefined && io.isValidPath(expected)) return storeString(expected);
  const given = hash === undefined ? {} : { hash: printHash(hash, "sri") };
  const request: FetchRequest = { kind: isTarball ? "tarball" : "file", url, name, ...given, options: {} };
  const result = isTarball ? fetchTraced(request, context) : fetch(request, context);
  if (expected !== undefined && result.storePath !== expected) throw hashMismatch(url, hash!, result);
  return storeString(result.storePath);
}

function hashMismatch(url: string, wanted: Hash, { narHash, attributes }: FetchResult): NixError {
  const { flatHash } = attributes;
  const shown = (hash: Hash): string => `${hash.algorithm}:${printHash(hash, "nix32")}`;
  const got = parseHash(typeof flatHash === "string" ? flatHash : narHash, "sha256");
  return new NixError(
    "io",
    `hash mismatch in file downloaded from '${url}':\n  specified: ${shown(wanted)}\n  got:       ${shown(got)}`,
    { status: 102, data: { url } },
  );
}

// fetchTree and fetchGit

type TreeFetcher = "fetchTree" | "fetchGit";

/** Addresses in git's own short form (`host:path`, `/path`) as URLs. */
export function fixGitUrl(url: string): string {
  if (url.includes("://") || url.startsWith("file:")) return url;
  const scp = /^([^/]*@)?([^/:]+):(.*)$/.exec(url);
  if (scp !== null) return `ssh://${scp[1] ?? ""}${scp[2]!}/${scp[3]!}`;
  return url.startsWith("/") ? `file://${url}` : `file:${url}`;
}

function* treeAttrs(who: TreeFetcher, set: Attrs, { symbols }: EvalContext): Routine<Map<string, InputAttr>> {
  const attrs = new Map<string, InputAttr>();
  if (who === "fetchGit") {
    if (set.has("type")) throw error("unexpected argument 'type'");
    attrs.set("type", "git");
  } else {
    if (!set.has("type")) throw error("argument 'type' is missing in call to 'fetchTree'");
    const context = "while evaluating the `type` argument passed to 'fetchTree'";
    attrs.set("type", yield* demandAttribute(set, "type", "plain", context));
  }
  for (const name of namesInOrder(set, symbols)) {
    if (name !== "type") attrs.set(name, yield* treeAttribute(who, name, set.get(name)!));
  }
  return attrs;
}

function* treeAttribute(who: TreeFetcher, name: string, slot: Slot): Routine<InputAttr> {
  const value = yield slot;
  if (isString(value) || value instanceof NixPath) {
    const text = textOf(yield* coerceToString(value, { context: "" }));
    return who === "fetchGit" && name === "url" ? fixGitUrl(text) : text;
  }
  if (typeof value === "boolean") return value;
  if (isInt(value)) {
    if (value >= 0) return BigInt(value);
    throw error(`negative value given for '${who}' argument '${name}': ${value}`);
  }
  throw new NixError(
    "type",
    `argument '${printName(name)}' to '${who}' is ${describeType(value)} while a string, Boolean or integer is expected`,
  );
}

/** What git's `export-ignore` attribute means is the default, except with submodules. */
function withGitDefaults(who: TreeFetcher, attrs: Map<string, InputAttr>): void {
  if (attrs.get("type") !== "git") return;
  if (who === "fetchTree") {
    if (!attrs.has("shallow")) attrs.set("shallow", true);
  } else if (!attrs.has("exportIgnore") && attrs.get("submodules") !== true) {
    attrs.set("exportIgnore", true);
  }
}

function* treeInput(who: TreeFetcher, value: Value, context: EvalContext): Routine<Map<string, InputAttr>> {
  if (value instanceof Attrs) {
    const attrs = yield* treeAttrs(who, value, context);
    withGitDefaults(who, attrs);
    if (who === "fetchTree" && attrs.has("name")) {
      throw error("argument 'name' isn\xe2\x80\x99t supported in call to 'fetchTree'");
    }
    checkInput(attrs);
    return attrs;
  }
  const text = textOf(
    yield* coerceToString(value, { context: `while evaluating the first argument passed to '${who}'` }),
  );
  if (who === "fetchGit") {
    const attrs = new Map<string, InputAttr>([
      ["type", "git"],
      ["url", fixGitUrl(text)],
    ]);
    withGitDefaults(who, attrs);
    checkInput(attrs);
    return attrs;
  }
  const url = parseUrl(text);
  if (url === undefined) throw error(`'${text}' doesn't have a scheme`);
  if (!context.settings.experimentalFeatures.has("flakes")) {
    throw error("passing a string argument to 'fetchTree' requires the 'flakes' experimental feature");
  }
  const attrs = inputFromUrl(url, false);
  if (attrs === undefined) throw error(`input '${text}' is unsupported`);
  checkInput(attrs);
  return attrs;
}

const FETCH_KINDS: Readonly<Record<string, FetchRequest["kind"]>> = {
  git: "git",
  hg: "mercurial",
  tarball: "tarball",
  file: "file",
};

/** A fetched input: its store path and what is known of it. */
export interface FetchedTree {
  readonly storePath: string;
  /** The input as it was fetched: attributes given, and found (`rev`, `narHash`, `lastModified` …). */
  readonly attrs: ReadonlyMap<string, InputAttr>;
}

/**
 * Fetches an input, or finds it in the store by its hash.
 * @throws NixError with "while fetching the input '…'" in its trace
 */
export function fetchInput(given: InputAttrs, context: EvalContext): FetchedTree {
  const input = given.get("type") === "indirect" ? resolveIndirect(given, "inputs", context) : given;
  const url = printUrl(inputUrl(input));
  const rev = revOf(input);
  const narHash = input.get("narHash");
  const expected = typeof narHash === "string" ? narHash : undefined;
  const name = input.get("name");
  const storeName = typeof name === "string" ? name : "source";
  if (expected !== undefined) {
    const hash = withFormatErrors(() => parseSriHash(expected));
    const path = makeContentPath({ method: "nar", hash }, storeName, undefined, context.settings.storeDir);
    if (context.io.isValidPath(path)) {
      showTree(path, `\xc2\xab${url}\xc2\xbb`, context);
      return { storePath: path, attrs: new Map(input) };
    }
  }
  const options = Object.fromEntries(
    [...input].map(([key, value]) => [key, typeof value === "bigint" ? Number(value) : value]),
  );
  const kind = FETCH_KINDS[String(input.get("type"))] ?? "tree";
  const request: FetchRequest = {
    kind,
    url,
    name: storeName,
    ...(expected !== undefined && { hash: expected }),
    options,
    ...(!context.settings.allowDirty && { allowDirty: false as const }),
    ...(!context.settings.warnDirty && { warnDirty: false as const }),
  };
  const result = fetchTraced(request, context);
  if (expected !== undefined && result.narHash !== expected) throw treeMismatch(input, expected, result.narHash);
  const found = Object.entries(result.attributes).map(([key, value]): [string, InputAttr] => [
    key,
    typeof value === "number" ? BigInt(value) : value,
  ]);
  const attrs = new Map([...input, ...found, ["narHash", result.narHash] as const]);
  if (rev !== undefined) attrs.set("rev", rev);
  const shown = result.shown ?? addressOf(attrs);
  if (shown !== undefined) showTree(result.storePath, shown, context);
  return { storePath: result.storePath, attrs };
}

/** Under pure evaluation, messages show where a tree is from instead of its store path. */
function showTree(storePath: string, shown: string, { settings, shownTrees }: EvalContext): void {
  if (settings.pureEval) shownTrees.set(storePath, shown);
}

/** What messages call a tree that was fetched from elsewhere; folders are what they are. */
function addressOf(attrs: InputAttrs): string | undefined {
  if (attrs.get("type") === "path" || attrs.get("type") === "file") return undefined;
  const named = new Map(attrs);
  named.delete("narHash");
  return `\xc2\xab${printUrl(inputUrl(named))}\xc2\xbb`;
}

/** C++ Nix has the two hashes the other way round for folders, and finds that out only after the fetching. */
function treeMismatch(input: InputAttrs, wanted: string, found: string): NixError {
  const url = printUrl(inputUrl(input));
  const isFolder = input.get("type") === "path";
  const [expected, got] = isFolder ? [found, wanted] : [wanted, found];
  const message = `NAR hash mismatch in input '${url}', expected '${expected}' but got '${got}'`;
  const problem = new NixError("io", message, { status: 102 });
  return isFolder ? problem : problem.within(`while fetching the input '${url}'`);
}

const intOf = (value: InputAttr | undefined): Slot | undefined =>
  typeof value === "bigint" ? normalInt(value) : undefined;

/** "20240131235959" of seconds since the epoch. */
export function timestampText(seconds: number): string {
  const date = new Date(seconds * 1000).toISOString();
  return date.slice(0, 19).replace(/[-T:]/g, "");
}

/**
 * What a fetched tree is in the language: `outPath`, `narHash` and what is known of its version.
 * @param withEmptyRev whether a dirty repository has a `rev` of zeros, as `fetchGit` gives
 */
export function treeSet({ storePath, attrs }: FetchedTree, withEmptyRev: boolean): Attrs {
  const members = new Map<string, Slot>([["outPath", storeString(storePath)]]);
  const narHash = attrs.get("narHash");
  if (narHash !== undefined) members.set("narHash", String(narHash));
  const isGit = attrs.get("type") === "git";
  if (isGit) members.set("submodules", attrs.get("submodules") === true);
  const rev = attrs.get("rev") ?? (withEmptyRev && isGit ? "0".repeat(40) : undefined);
  if (rev !== undefined) {
    members.set("rev", String(rev));
    members.set("shortRev", String(rev).slice(0, 7));
  }
  const revCount = intOf(attrs.get("revCount")) ?? (withEmptyRev && isGit ? 0 : undefined);
  if (revCount !== undefined) members.set("revCount", revCount);
  for (const name of ["dirtyRev", "dirtyShortRev"]) {
    const value = attrs.get(name);
    if (value !== undefined) members.set(name, String(value));
  }
  const lastModified = attrs.get("lastModified");
  if (typeof lastModified === "bigint") {
    members.set("lastModified", normalInt(lastModified)!);
    members.set("lastModifiedDate", timestampText(Number(lastModified)));
  }
  return attrsOf(members);
}

function* tree(who: TreeFetcher, value: Value, context: EvalContext): Routine<Attrs> {
  const input = yield* treeInput(who, value, context);
  // Showing it also checks what the scheme asks for.
  const url = printUrl(inputUrl(input));
  if (context.settings.pureEval && !isLocked(input)) {
    if (!input.has("narHash")) {
      const message = `in pure evaluation mode, '${who}' doesn't fetch unlocked input '${url}'`;
      throw new NixError("restricted", message);
    }
    context.warn(
      `Input '${url}' is unlocked (e.g. lacks a Git revision) but is checked by NAR hash. This is not reproducible and will break after garbage collection or when shared.`,
    );
  }
  checkUri(url, context);
  return treeSet(fetchInput(input, context), who === "fetchGit");
}

// fetchMercurial

function* mercurial(value: Value, context: EvalContext): Routine<Attrs> {
  let url: string | undefined;
  let rev: string | undefined;
  let name = "source";
  if (value instanceof Attrs) {
    for (const attribute of namesInOrder(value, context.symbols)) {
      const what = `while evaluating the \`${attribute}\` attribute passed to builtins.fetchMercurial`;
      if (attribute === "url") url = textOf(yield* coerceToString(value.get(attribute)!, { context: what }));
      else if (attribute === "rev") rev = yield* demandAttribute(value, attribute, "plain", what);
      else if (attribute === "name") name = yield* demandAttribute(value, attribute, "plain", what);
      else {
        const pos = attributePos(value.positions, value.keys, attribute);
        throw error(`unsupported argument '${attribute}' to 'fetchMercurial'`, pos);
      }
    }
    if (url === undefined) throw error("'url' argument required");
  } else {
    const what = "while evaluating the first argument passed to builtins.fetchMercurial";
    url = textOf(yield* coerceToString(value, { context: what }));
  }
  checkUri(url, context);
  if (context.settings.pureEval && rev === undefined) {
    throw new NixError("restricted", "in pure evaluation mode, 'fetchMercurial' requires a Mercurial revision");
  }
  const input = new Map<string, InputAttr>([
    ["type", "hg"],
    ["url", url.includes("://") ? url : `file://${url}`],
    ["name", name],
  ]);
  if (rev !== undefined) input.set(/^[0-9a-f]{40}$/.test(rev) ? "rev" : "ref", rev);
  checkInput(input);
  const { storePath, attrs } = fetchInput(input, context);
  const found = String(attrs.get("rev") ?? "0".repeat(40));
  const members: [string, Slot][] = [
    ["outPath", storeString(storePath)],
    ["rev", found],
    ["shortRev", found.slice(0, 12)],
  ];
  const branch = attrs.get("ref");
  if (branch !== undefined) members.push(["branch", String(branch)]);
  const revCount = intOf(attrs.get("revCount"));
  if (revCount !== undefined) members.push(["revCount", revCount]);
  return attrsOf(new Map(members));
}

// fetchClosure

/** An attribute that names a store path, as a string or path. */
function* storePathAttribute(set: Attrs, name: string, storeDir: string): Routine<string> {
  const context = `while evaluating the attribute '${name}' passed to builtins.fetchClosure`;
  const text = textOf(yield* coerceToString(set.get(name)!, { context }));
  try {
    if (!text.startsWith(`${storeDir}/`)) throw error(`path '${text}' is not in the Nix store`);
    return withFormatErrors(() => splitStorePath(text, storeDir)[0]);
  } catch (thrown) {
    throw addTrace(thrown, context, attributePos(set.positions, set.keys, name));
  }
}

function* fetchClosure(set: Attrs, context: EvalContext): Routine<NixString> {
  const { storeDir } = context.settings;
  const what = (name: string): string => `while evaluating the attribute '${name}' passed to builtins.fetchClosure`;
  let fromStore: string | undefined;
  let fromPath: string | undefined;
  let toPath: string | undefined;
  let inputAddressed: boolean | undefined;
  for (const name of namesInOrder(set, context.symbols)) {
    if (name === "fromPath") fromPath = yield* storePathAttribute(set, name, storeDir);
    else if (name === "fromStore") fromStore = yield* demandAttribute(set, name, "plain", what(name));
    else if (name === "inputAddressed") inputAddressed = yield* demandAttribute(set, name, "bool", what(name));
    else if (name === "toPath") {
      // An empty path asks to be told the content-addressed one.
      const value = yield set.get(name)!;
      toPath = value === "" ? "" : yield* storePathAttribute(set, name, storeDir);
    } else throw error(`attribute '${name}' isn't supported in call to 'fetchClosure'`);
  }
  if (fromPath === undefined) throw error("attribute 'fromPath' is missing in call to 'fetchClosure'");
  if (inputAddressed === true && toPath !== undefined) {
    throw error("attribute 'inputAddressed' is set to true, but 'toPath' is also set. Please remove one of them");
  }
  if (fromStore === undefined) throw error("attribute 'fromStore' is missing in call to 'fetchClosure'");
  const url = parseUrl(fromStore);
  if (url === undefined || !/^https?$/.test(url.scheme)) {
    throw error("'fetchClosure' only supports http:// and https:// stores");
  }
  if (url.query.size > 0) throw error(`'fetchClosure' does not support URL query parameters (in '${fromStore}')`);
  const path = toPath === undefined || toPath === "" ? fromPath : toPath;
  if (context.io.isValidPath(path)) return storeString(path);
  const options = { fromPath, closure: true, ...(toPath !== undefined && { toPath }) };
  return storeString(fetch({ kind: "tree", url: fromStore, name: path, options }, context).storePath);
}

export const fetchBuiltins: BuiltinFamily = [
  builtin({
    name: "fetchurl",
    args: [arg("arg", "any")],
    doc: "Downloads a file and gives the path of its copy in the store. The argument is a URL or a set with `url`, and optionally `name` and `sha256`. With a hash the result is fixed, and allowed under pure evaluation.",
    *routine([value], context) {
      return yield* download("fetchurl", value, context);
    },
  }),
  builtin({
    name: "fetchTarball",
    global: true,
    args: [arg("args", "any")],
    doc: "Downloads an archive, unpacks it and gives the path of the tree in the store. The argument is a URL or a set with `url`, and optionally `name` and `sha256` (of the unpacked tree).",
    *routine([value], context) {
      return yield* download("fetchTarball", value, context);
    },
  }),
  builtin({
    name: "fetchGit",
    global: true,
    args: [arg("args", "any")],
    doc: "Fetches a revision of a Git repository. The argument is a URL or a set with `url`, and optionally `ref`, `rev`, `name`, `submodules`, `shallow`, `allRefs`. The result is a set with `outPath`, `rev`, `shortRev`, `revCount`, `lastModified` and others.",
    *routine([value], context) {
      return yield* tree("fetchGit", value, context);
    },
  }),
  builtin({
    name: "fetchMercurial",
    global: true,
    args: [arg("args", "any")],
    doc: "Fetches a revision of a Mercurial repository. The argument is a URL or a set with `url`, and optionally `rev` and `name`.",
    *routine([value], context) {
      return yield* mercurial(value, context);
    },
  }),
  builtin({
    name: "fetchTree",
    global: true,
    feature: "fetch-tree",
    args: [arg("input", "any")],
    doc: 'Fetches a tree or file of any of the kinds flakes know: a set with `type` (`"git"`, `"github"`, `"tarball"`, `"path"`, …) and that kind\'s attributes, or (with flakes) a URL.',
    *routine([value], context) {
      return yield* tree("fetchTree", value, context);
    },
  }),
  builtin({
    name: "fetchClosure",
    feature: "fetch-closure",
    args: [arg("args", "attrs", "while evaluating the argument passed to builtins.fetchClosure")],
    doc: "Copies a store path with everything it refers to from a binary cache (`fromStore`, `fromPath`) and gives the path.",
    *routine([value], context) {
      return yield* fetchClosure(value, context);
    },
  }),
];
