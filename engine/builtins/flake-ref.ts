/**
 * Inputs of the fetchers as URLs and as attribute sets: `github:owner/repo` is `{ type = "github"; owner = …; repo = …; }`.
 * Value-independent; the texts of errors are Nix's. Texts are byte strings.
 */
import { NixError } from "#engine/eval/error.ts";
import { parseBareHash, parseSriHash } from "#engine/store/format/hash.ts";
import { withFormatErrors } from "./demand.ts";

export type InputAttr = string | bigint | boolean;
export type InputAttrs = ReadonlyMap<string, InputAttr>;

/** A URL taken apart; `query` keeps its order, values are decoded. */
export interface Url {
  readonly scheme: string;
  /** Undefined without `//`. */
  readonly authority: string | undefined;
  /** Not decoded. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  readonly fragment: string;
}

const error = (message: string): NixError => new NixError("eval", message);

/** What makes a text no flake reference of its scheme; Nix then takes the text for a path. */
class BadUrl extends Error {}

const badUrl = (): never => {
  throw new BadUrl();
};

const URL_PATTERN =
  /^([a-z][a-z0-9+.-]*):(?:\/\/((?:[A-Za-z0-9._~!$&'()*+,;=:@[\]-]|%[0-9A-Fa-f]{2})*))?((?:[A-Za-z0-9._~!$&'()*+,;=:@/^-]|%[0-9A-Fa-f]{2})*)(?:\?((?:[A-Za-z0-9._~!$&'()*+,;=:@/?^-]|%[0-9A-Fa-f]{2})*))?(?:#(.*))?$/;

/** A URL, undefined when the text is none. A path after an authority must begin with a slash. */
export function parseUrl(text: string): Url | undefined {
  const match = URL_PATTERN.exec(text);
  if (match === null) return undefined;
  const [, scheme, authority, path, query, fragment] = match;
  if (authority !== undefined && path !== "" && !path!.startsWith("/")) return undefined;
  return {
    scheme: scheme!,
    authority,
    path: path!,
    query: parseQuery(query ?? ""),
    fragment: percentDecode(fragment ?? ""),
  };
}

function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const part of text.split("&")) {
    const equals = part.indexOf("=");
    if (equals >= 0) query.set(percentDecode(part.slice(0, equals)), percentDecode(part.slice(equals + 1)));
  }
  return query;
}

export const percentDecode = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const percentEncode = (text: string, keep: RegExp): string =>
  text.replace(/[^A-Za-z0-9._~-]/g, (char) =>
    keep.test(char) ? char : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );

const KEEP_IN_PATH = /[!$&'()*+,;=:@]/;
const KEEP_IN_QUERY = /[:@/?]/;

/** A query with its names in byte order, with its question mark unless empty. */
function printQuery(query: ReadonlyMap<string, string>): string {
  const parts = [...query.keys()]
    .sort()
    .map((name) => `${percentEncode(name, KEEP_IN_QUERY)}=${percentEncode(query.get(name)!, KEEP_IN_QUERY)}`);
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

export function printUrl({ scheme, authority, path, query, fragment }: Url): string {
  const host = authority === undefined ? "" : `//${authority}`;
  return `${scheme}:${host}${path}${printQuery(query)}${fragment === "" ? "" : `#${fragment}`}`;
}

const REV = /^[0-9a-fA-F]{40}$/;
const REF = /^[a-zA-Z0-9@][a-zA-Z0-9_./@+-]*$/;
const FLAKE_ID = /^[a-zA-Z][a-zA-Z0-9_-]*$/;
const HOST = /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]+)?$/;
const TARBALL = /\.(zip|tar|tgz|tar\.gz|tar\.xz|tar\.bz2|tar\.zst)$/;

/** Git's own rules for the names of branches and tags, as far as Nix checks them. */
export const isGitRef = (ref: string): boolean =>
  ref !== "" &&
  !/(^|\/)[.-]|\.\.|\/\/|\/$|\.$|\.lock(\/|$)|@\{|^@$|[ ~^:?*[\\]|^\//.test(ref) &&
  ![...ref].some((char) => char < " " || char === "\x7f");

const isRef = (ref: string): boolean => REF.test(ref) && isGitRef(ref);

/** Attributes each kind of input takes besides `type`. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  path: ["path", "rev", "revCount", "lastModified", "narHash"],
  git: "url ref rev shallow submodules lfs exportIgnore lastModified revCount narHash allRefs name dirtyRev dirtyShortRev verifyCommit keytype publicKey publicKeys".split(
    " ",
  ),
  hg: ["url", "ref", "rev", "revCount", "narHash", "name"],
  github: ["owner", "repo", "ref", "rev", "narHash", "lastModified", "host", "treeHash"],
  gitlab: ["owner", "repo", "ref", "rev", "narHash", "lastModified", "host", "treeHash"],
  sourcehut: ["owner", "repo", "ref", "rev", "narHash", "lastModified", "host", "treeHash"],
  indirect: ["id", "ref", "rev", "narHash"],
  tarball: ["url", "narHash", "name", "unpack", "rev", "revCount", "lastModified"],
  file: ["url", "narHash", "name", "unpack", "rev", "revCount", "lastModified"],
};

const FORGES = ["github", "gitlab", "sourcehut"];

/** Attributes as JSON, the way messages show them. */
export function printAttrs(attrs: InputAttrs): string {
  const parts = [...attrs.keys()].sort().map((name) => {
    const value = attrs.get(name)!;
    return `${JSON.stringify(name)}:${typeof value === "string" ? JSON.stringify(value) : String(value)}`;
  });
  return `{${parts.join(",")}}`;
}

/** A string attribute, undefined when there is none. */
export function optionalText(attrs: InputAttrs, name: string): string | undefined {
  const value = attrs.get(name);
  if (value === undefined || typeof value === "string") return value;
  throw error(`input attribute '${name}' is not a string ${printAttrs(attrs)}`);
}

function requiredText(attrs: InputAttrs, name: string): string {
  const value = optionalText(attrs, name);
  if (value === undefined) throw error(`input attribute '${name}' is missing`);
  return value;
}

/**
 * Checks the attributes of an input against its scheme. Unknown schemes pass: only showing or fetching them fails.
 * @throws NixError as Nix words it
 */
export function checkInput(attrs: InputAttrs): void {
  if (!attrs.has("type")) throw error("'type' attribute to specify input scheme is required but not provided");
  const type = requiredText(attrs, "type");
  const allowed = ALLOWED[type];
  if (allowed === undefined) return;
  for (const name of [...attrs.keys()].sort()) {
    if (name !== "type" && !allowed.includes(name)) {
      throw error(`input attribute '${name}' not supported by scheme '${type}'`);
    }
  }
  const required =
    type === "path" ? ["path"] : type === "indirect" ? ["id"] : FORGES.includes(type) ? ["owner", "repo"] : ["url"];
  for (const name of required) requiredText(attrs, name);
  const ref = optionalText(attrs, "ref");
  if (ref !== undefined && type === "git" && !isGitRef(ref)) throw error(`invalid Git branch/tag name '${ref}'`);
  const id = optionalText(attrs, "id");
  if (type === "indirect" && !FLAKE_ID.test(id!)) throw error(`'${id!}' is not a valid flake ID`);
  const narHash = optionalText(attrs, "narHash");
  if (narHash !== undefined) withFormatErrors(() => parseSriHash(narHash));
}

/** The commit an input names, checked. */
export function revOf(attrs: InputAttrs): string | undefined {
  const rev = optionalText(attrs, "rev");
  if (rev !== undefined) withFormatErrors(() => parseBareHash(rev, "sha1"));
  return rev;
}

/** An input as a URL, without `dir`. */
export function inputUrl(attrs: InputAttrs): Url {
  const type = requiredText(attrs, "type");
  if (FORGES.includes(type)) return forgeUrl(type, attrs);
  switch (type) {
    case "path":
      return pathUrl(attrs);
    case "git":
    case "hg":
      return repositoryUrl(type, attrs);
    case "indirect":
      return indirectUrl(attrs);
    case "tarball":
    case "file":
      return archiveUrl(attrs);
    default:
      throw error(`cannot show unsupported input '${printAttrs(attrs)}'`);
  }
}

const segment = (text: string): string => percentEncode(text, KEEP_IN_PATH);
const plainUrl = (scheme: string, path: string, query = new Map<string, string>()): Url => ({
  scheme,
  authority: undefined,
  path,
  query,
  fragment: "",
});

function forgeUrl(type: string, attrs: InputAttrs): Url {
  const rev = revOf(attrs);
  const ref = optionalText(attrs, "ref");
  if (rev !== undefined && ref !== undefined) {
    throw error(`input ${printAttrs(attrs)} contains both a commit hash ('${rev}') and a branch/tag name ('${ref}')`);
  }
  const parts = [requiredText(attrs, "owner"), requiredText(attrs, "repo")];
  const version = rev ?? ref;
  if (version !== undefined) parts.push(version);
  const query = new Map<string, string>();
  for (const name of ["host", "narHash"]) {
    const value = optionalText(attrs, name);
    if (value !== undefined) query.set(name, value);
  }
  return plainUrl(type, parts.map(segment).join("/"), query);
}

function pathUrl(attrs: InputAttrs): Url {
  const query = new Map<string, string>();
  for (const [name, value] of attrs) if (name !== "type" && name !== "path") query.set(name, String(value));
  return plainUrl("path", requiredText(attrs, "path").split("/").map(segment).join("/"), query);
}

function repositoryUrl(type: string, attrs: InputAttrs): Url {
  const text = requiredText(attrs, "url");
  const url = parseUrl(text.startsWith("/") ? `file://${text}` : text);
  if (url === undefined) throw error(`'${text}' is not a valid URL`);
  const query = new Map(url.query);
  const rev = revOf(attrs);
  const ref = optionalText(attrs, "ref");
  if (rev !== undefined) query.set("rev", rev);
  if (ref !== undefined) query.set("ref", ref);
  if (type === "git") {
    for (const name of ["shallow", "lfs", "submodules", "exportIgnore", "verifyCommit"]) {
      if (attrs.get(name) === true) query.set(name, "1");
    }
    for (const name of ["keytype", "publicKey", "publicKeys", "narHash"]) {
      const value = optionalText(attrs, name);
      if (value !== undefined && name !== "narHash") query.set(name, value);
    }
  }
  return { ...url, scheme: url.scheme === "git" ? "git" : `${type}+${url.scheme}`, query };
}

function indirectUrl(attrs: InputAttrs): Url {
  const parts = [requiredText(attrs, "id"), optionalText(attrs, "ref"), revOf(attrs)];
  return plainUrl(
    "flake",
    parts
      .filter((part) => part !== undefined)
      .map(segment)
      .join("/"),
  );
}

function archiveUrl(attrs: InputAttrs): Url {
  const text = requiredText(attrs, "url");
  const url = parseUrl(text);
  if (url === undefined) throw error(`'${text}' is not a valid URL`);
  const narHash = optionalText(attrs, "narHash");
  return narHash === undefined ? url : { ...url, query: new Map([...url.query, ["narHash", narHash]]) };
}

/** The text of a flake reference: the input's URL, with `dir` in its query. */
export function printFlakeRef(all: InputAttrs): string {
  const dir = optionalText(all, "dir");
  const attrs = new Map(all);
  attrs.delete("dir");
  checkInput(attrs);
  const url = inputUrl(attrs);
  return printUrl(dir === undefined || dir === "" ? url : { ...url, query: new Map([...url.query, ["dir", dir]]) });
}

/** An input from a URL; undefined when no scheme takes it. `requireTree`: any web address is an archive, whatever its ending. */
export function inputFromUrl(url: Url, requireTree: boolean): Map<string, InputAttr> | undefined {
  if (FORGES.includes(url.scheme)) return forgeInput(url);
  if (url.scheme === "path") return pathInput(url);
  if (url.scheme === "flake") return indirectInput(url);
  if (/^git(\+(http|https|ssh|file))?$/.test(url.scheme)) return gitInput(url);
  if (/^hg\+(http|https|ssh|file)$/.test(url.scheme)) return mercurialInput(url);
  const archive = /^(?:(tarball|file)\+)?(http|https|file)$/.exec(url.scheme);
  if (archive === null) return undefined;
  const isTarball = archive[1] === undefined ? requireTree || TARBALL.test(url.path) : archive[1] === "tarball";
  return archiveInput({ ...url, scheme: archive[2]! }, isTarball ? "tarball" : "file");
}

function forgeInput({ scheme, authority, path, query }: Url): Map<string, InputAttr> {
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(percentDecode);
  if (authority !== undefined || parts.length < 2) badUrl();
  const attrs = new Map<string, InputAttr>([
    ["type", scheme],
    ["owner", parts[0]!],
    ["repo", parts[1]!],
  ]);
  const version = parts.slice(2).join("/");
  if (REV.test(version) && parts.length === 3) attrs.set("rev", version);
  else if (version !== "") attrs.set("ref", isRef(version) ? version : badUrl());
  for (const name of ["rev", "ref"]) {
    const value = query.get(name);
    if (value === undefined) continue;
    if (attrs.has(name)) badUrl();
    attrs.set(name, value);
  }
  if (attrs.has("rev") && attrs.has("ref")) badUrl();
  const host = query.get("host");
  if (host !== undefined) attrs.set("host", HOST.test(host) ? host : badUrl());
  const narHash = query.get("narHash");
  if (narHash !== undefined) attrs.set("narHash", narHash);
  revOf(attrs);
  return attrs;
}

function pathInput(url: Url): Map<string, InputAttr> {
  const { authority, path, query } = url;
  if (authority !== undefined && authority !== "") {
    throw error(`path URL '${printUrl(url)}' should not have an authority ('${authority}')`);
  }
  const attrs = new Map<string, InputAttr>([
    ["type", "path"],
    ["path", percentDecode(path)],
  ]);
  for (const [name, value] of query) {
    if (name === "rev" || name === "narHash") attrs.set(name, value);
    else if (name === "revCount" || name === "lastModified") {
      if (!/^[0-9]+$/.test(value)) throw error(`path URL '${printUrl(url)}' has invalid parameter '${name}'`);
      attrs.set(name, BigInt(value));
    } else {
      throw error(`path URL '${printUrl(url)}' has unsupported parameter '${name}'`);
    }
  }
  return attrs;
}

function indirectInput(url: Url): Map<string, InputAttr> {
  const [id = "", ...rest] = url.path
    .split("/")
    .filter((part) => part !== "")
    .map(percentDecode);
  const attrs = new Map<string, InputAttr>([
    ["type", "indirect"],
    ["id", id],
  ]);
  if (rest.length === 1) attrs.set(REV.test(rest[0]!) ? "rev" : isRef(rest[0]!) ? "ref" : badUrl(), rest[0]!);
  else if (rest.length === 2) {
    if (!isRef(rest[0]!) || !REV.test(rest[1]!)) badUrl();
    attrs.set("ref", rest[0]!).set("rev", rest[1]!);
  } else if (rest.length > 2) {
    throw error(`GitHub URL '${printUrl(url)}' is invalid`);
  }
  if (!FLAKE_ID.test(id)) throw error(`'${id}' is not a valid flake ID`);
  return attrs;
}

const GIT_FLAGS = ["shallow", "submodules", "lfs", "exportIgnore", "allRefs", "verifyCommit"];
const GIT_TEXTS = ["rev", "ref", "keytype", "publicKey", "publicKeys"];

function gitInput(url: Url): Map<string, InputAttr> {
  const attrs = new Map<string, InputAttr>([["type", "git"]]);
  const query = new Map<string, string>();
  for (const [name, value] of url.query) {
    if (GIT_TEXTS.includes(name)) attrs.set(name, value);
    else if (GIT_FLAGS.includes(name)) attrs.set(name, value === "1");
    else query.set(name, value);
  }
  return attrs.set("url", printUrl({ ...url, scheme: url.scheme.replace(/^git\+/, ""), query }));
}

function mercurialInput(url: Url): Map<string, InputAttr> {
  const attrs = new Map<string, InputAttr>([["type", "hg"]]);
  for (const name of ["rev", "ref"]) {
    const value = url.query.get(name);
    if (value !== undefined) attrs.set(name, value);
  }
  return attrs.set("url", printUrl({ ...url, scheme: url.scheme.slice(3), query: new Map() }));
}

function archiveInput(url: Url, type: "tarball" | "file"): Map<string, InputAttr> {
  const attrs = new Map<string, InputAttr>([["type", type]]);
  const query = new Map(url.query);
  for (const name of ["narHash", "rev", "revCount", "lastModified"]) {
    const value = query.get(name);
    if (value === undefined) continue;
    const isNumber = name === "revCount" || name === "lastModified";
    if (isNumber && !/^[0-9]+$/.test(value)) continue;
    attrs.set(name, isNumber ? BigInt(value) : value);
    query.delete(name);
  }
  return attrs.set("url", printUrl({ ...url, query }));
}

/**
 * A flake reference: `id`, `id/ref`, a URL or an absolute path. The result has `dir` when the reference names one.
 * @throws NixError when it is none, or has a fragment
 */
export function parseFlakeRef(text: string): Map<string, InputAttr> {
  const { attrs, fragment } = parseFlakeRefWithFragment(text);
  if (fragment !== "") throw error(`unexpected fragment '${fragment}' in flake reference '${text}'`);
  return attrs;
}

/** A flake reference with what follows its `#`, decoded. */
export interface FragmentRef {
  readonly attrs: Map<string, InputAttr>;
  readonly fragment: string;
}

/** A flake reference and what follows its `#`, decoded. */
export const parseFlakeRefWithFragment = (text: string): FragmentRef => parseNamedRef(text) ?? pathFlakeRef(text);

/** `id`, `id/ref` or a URL with what follows its `#`; undefined for a text that is neither, which may be a path. */
export function parseNamedRef(text: string): FragmentRef | undefined {
  const id = /^([a-zA-Z][a-zA-Z0-9_-]*(?:\/[a-zA-Z0-9@][a-zA-Z0-9_./@+-]*)?)(?:#(.*))?$/.exec(text);
  const url = parseUrl(id === null ? text : `flake:${id[1]!}`);
  if (url !== undefined) {
    try {
      const attrs = flakeRefFromUrl(url, text);
      return { attrs, fragment: id === null ? url.fragment : percentDecode(id[2] ?? "") };
    } catch (thrown) {
      if (!(thrown instanceof BadUrl)) throw thrown;
    }
  }
  return undefined;
}

function flakeRefFromUrl(url: Url, text: string): Map<string, InputAttr> {
  const query = new Map(url.query);
  const dir = query.get("dir");
  query.delete("dir");
  const attrs = inputFromUrl({ ...url, query, fragment: "" }, true);
  if (attrs === undefined) throw error(`input '${text}' is unsupported`);
  if (dir !== undefined && dir !== "") attrs.set("dir", dir);
  return attrs;
}

function pathFlakeRef(text: string): { attrs: Map<string, InputAttr>; fragment: string } {
  const [, path, query, fragment] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text)!;
  if (!path!.startsWith("/")) throw error(`flake reference '${text}' is not an absolute path`);
  const url: Url = { scheme: "path", authority: "", path: path!, query: parseQuery(query ?? ""), fragment: "" };
  return { attrs: flakeRefFromUrl(url, text), fragment: percentDecode(fragment ?? "") };
}

/** Does an input always give the same tree? Files and archives by their hash, repositories by their commit. */
export function isLocked(attrs: InputAttrs): boolean {
  const type = attrs.get("type");
  if (type === "path" || type === "tarball" || type === "file") return attrs.has("narHash");
  return type !== "indirect" && attrs.has("rev");
}
