/**
 * What a builder's process sees: its arguments, its environment and the files in /build, as Nix makes them for a
 * sandboxed build. Placeholders of the derivation's own outputs become the paths the build writes to.
 */
import { encodeNix32 } from "../store/format/base-n.ts";
import { type ByteString, compareByteStrings } from "../store/format/bytes.ts";
import { type Derivation, hashPlaceholder } from "../store/format/derivation.ts";
import { sha256Bytes } from "../store/format/hash.ts";
import type { StorePath } from "../store/format/store-path.ts";
import { type Json, printJson, rewriteJson } from "../store/format/json.ts";

/** Where the sandbox has its build directory. */
const BUILD_TOP = "/build";

export interface ProcessDescription {
  readonly argv: readonly ByteString[];
  readonly env: ReadonlyMap<ByteString, ByteString>;
  readonly files: ReadonlyMap<ByteString, ByteString>;
}

export interface EnvironmentOptions {
  readonly storeDir: string;
  readonly cores: number;
  readonly fixedOutput: boolean;
  /** Variables of the host that a fixed-output derivation lets through (`impureEnvVars`). */
  readonly hostVariable?: (name: string) => string | undefined;
  /** What `exportReferencesGraph` asked for: file name → text. */
  readonly graphs?: ReadonlyMap<string, ByteString>;
  /** The same for structured attributes: name → member of `.attrs.json`. */
  readonly structuredGraphs?: ReadonlyMap<string, Json>;
}

/** The process for a derivation whose inputs are resolved; `outputs` are the paths that the build writes to. */
export function describeProcess(
  derivation: Derivation,
  outputs: ReadonlyMap<string, StorePath>,
  options: EnvironmentOptions,
): ProcessDescription {
  const rewrite = placeholderRewriter(outputs);
  const baseName = derivation.builder.slice(derivation.builder.lastIndexOf("/") + 1);
  const env = new Map<ByteString, ByteString>([
    ["PATH", "/path-not-set"],
    ["HOME", "/homeless-shelter"],
    ["NIX_STORE", options.storeDir],
    ["NIX_BUILD_CORES", String(options.cores)],
  ]);
  const files = new Map<ByteString, ByteString>(options.graphs);
  const structured = derivation.env.get("__json");
  if (structured === undefined) addVariables(derivation, outputs, rewrite, env, files);
  else {
    const attributes = { ...exactJson(structured), ...Object.fromEntries(options.structuredGraphs ?? []) };
    addStructured(attributes, outputs, rewrite, env, files);
  }
  addBuildVariables(derivation, options, env);
  const sorted = new Map([...env].sort((left, right) => compareByteStrings(left[0], right[0])));
  return { argv: [baseName, ...derivation.args.map(rewrite)], env: sorted, files };
}

/** Puts output paths in place of `builtins.placeholder`. */
export function placeholderRewriter(outputs: ReadonlyMap<string, StorePath>): (text: ByteString) => ByteString {
  const rewrites = Array.from(outputs, ([name, path]) => [hashPlaceholder(name), path] as const);
  return (text) => rewrites.reduce((rest, [placeholder, path]) => rest.replaceAll(placeholder, path), text);
}

function addVariables(
  { env: variables }: Derivation,
  outputs: ReadonlyMap<string, StorePath>,
  rewrite: (text: ByteString) => ByteString,
  env: Map<ByteString, ByteString>,
  files: Map<ByteString, ByteString>,
): void {
  const asFiles = new Set(words(variables.get("passAsFile") ?? ""));
  for (const [name, value] of variables) {
    if (asFiles.has(name)) {
      const file = `.attr-${encodeNix32(sha256Bytes(name))}`;
      files.set(file, rewrite(value));
      env.set(`${name}Path`, `${BUILD_TOP}/${file}`);
    } else {
      env.set(name, outputs.get(name) ?? rewrite(value));
    }
  }
}

/** What marks a number kept as its text: no string of Nix's has a NUL byte. */
const NUMBER = "\0";

/** JSON whose numbers stay as they are written, which JavaScript's cannot: whole numbers have 64 bits and 1.0 is not 1. */
function exactJson(text: ByteString): Record<string, Json> {
  const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
  return JSON.parse(text.replace(token, (word) => (word.startsWith('"') ? word : `"\\u0000${word}"`))) as Record<
    string,
    Json
  >;
}

function addStructured(
  attributes: Record<string, Json>,
  outputs: ReadonlyMap<string, StorePath>,
  rewrite: (text: ByteString) => ByteString,
  env: Map<ByteString, ByteString>,
  files: Map<ByteString, ByteString>,
): void {
  const all = rewriteJson({ ...attributes, outputs: Object.fromEntries(outputs) }, rewrite) as Record<string, Json>;
  files.set(".attrs.json", printJson(all).replace(/"\\u0000([^"]*)"/g, "$1"));
  files.set(".attrs.sh", shellDeclarations(all));
  env.set("NIX_ATTRS_JSON_FILE", `${BUILD_TOP}/.attrs.json`);
  env.set("NIX_ATTRS_SH_FILE", `${BUILD_TOP}/.attrs.sh`);
}

function addBuildVariables(
  derivation: Derivation,
  options: EnvironmentOptions,
  env: Map<ByteString, ByteString>,
): void {
  env.set("NIX_BUILD_TOP", BUILD_TOP);
  for (const name of ["TMPDIR", "TEMPDIR", "TMP", "TEMP", "PWD"]) env.set(name, BUILD_TOP);
  if (options.fixedOutput) {
    for (const name of words(derivation.env.get("impureEnvVars") ?? "")) {
      env.set(name, options.hostVariable?.(name) ?? "");
    }
    env.set("NIX_OUTPUT_CHECKED", "1");
  }
  env.set("NIX_LOG_FD", "2");
  env.set("TERM", "xterm-256color");
}

/** The attributes that a shell can hold: strings, whole numbers, booleans, null, and flat lists and sets of these. */
function shellDeclarations(attributes: Record<string, Json>): ByteString {
  let text = "";
  for (const name of Object.keys(attributes).sort()) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
    text += shellDeclaration(name, attributes[name] as Json) ?? "";
  }
  return text;
}

function shellDeclaration(name: string, value: Json): ByteString | undefined {
  const simple = shellValue(value);
  if (simple !== undefined) return `declare ${name}=${simple}\n`;
  if (Array.isArray(value)) {
    const items = value.map(shellValue);
    return items.includes(undefined) ? undefined : `declare -a ${name}=(${items.map((item) => `${item} `).join("")})\n`;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const members = value as Readonly<Record<string, Json>>;
  const keys = Object.keys(members).sort();
  const items = keys.map((key) => shellValue(members[key] as Json));
  if (items.includes(undefined)) return undefined;
  return `declare -A ${name}=(${keys.map((key, index) => `[${shellQuote(key)}]=${items[index]} `).join("")})\n`;
}

function shellValue(value: Json): string | undefined {
  if (typeof value === "string") return value.startsWith(NUMBER) ? shellNumber(value.slice(1)) : shellQuote(value);
  if (value === null) return "''";
  return typeof value === "boolean" ? (value ? "1" : "") : undefined;
}

/** Nix's writer has 32 bits for a whole number and none for a fraction; what a float has too much becomes the least of them. */
function shellNumber(text: string): string | undefined {
  if (/^-?\d+$/.test(text)) return String(BigInt.asIntN(32, BigInt(text)));
  const value = Number(text);
  if (!Number.isInteger(value)) return undefined;
  return String(Math.abs(value) < 2 ** 31 ? value : -(2 ** 31));
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Words between blanks, as Nix splits attributes that are lists turned into strings. */
export function words(text: ByteString): string[] {
  return text.split(/[ \t\n\r]+/).filter((word) => word !== "");
}
