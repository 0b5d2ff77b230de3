/** The JSON form of derivations, version 4: what `nix derivation show` prints and `nix derivation add` reads. */
import { encodeBase16 } from "./base-n.ts";
import type { Derivation, DerivationInput, DerivationOutput } from "./derivation.ts";
import { outputKind } from "./derivation.ts";
import { FormatError } from "./error.ts";
import { parseHash, printHash } from "./hash.ts";
import { type Json, printJson } from "./json.ts";
import {
  type ContentMethod,
  DEFAULT_STORE_DIR,
  baseNameOf,
  makeContentPath,
  outputContentAddress,
  outputPathName,
  parseMethodAlgorithm,
  parseStorePath,
  printMethodAlgorithm,
} from "./store-path.ts";

type Members = Readonly<Record<string, Json>>;

/** `name` is the derivation's name without ".drv". */
export function derivationToJson(derivation: Derivation, name: string): Json {
  const { args, builder, system } = derivation;
  const structured = derivation.env.get("__json");
  const env = [...derivation.env].filter(([key]) => key !== "__json");
  return {
    args,
    builder,
    env: Object.fromEntries(env),
    inputs: {
      drvs: mapToJson(derivation.inputDerivations, inputToJson, baseNameOf),
      srcs: derivation.inputSources.map(baseNameOf),
    },
    name,
    outputs: mapToJson(derivation.outputs, outputToJson),
    ...(structured === undefined ? {} : { structuredAttrs: structuredAttributes(structured) }),
    system,
    version: 4,
  };
}

function structuredAttributes(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new FormatError("derivation", "cannot process __json attribute: it is no JSON");
  }
}

function mapToJson<Value>(
  map: ReadonlyMap<string, Value>,
  toJson: (value: Value) => Json,
  rename: (key: string) => string = (key) => key,
): Json {
  return Object.fromEntries(Array.from(map, ([key, value]) => [rename(key), toJson(value)]));
}

function inputToJson({ outputs, dynamic }: DerivationInput): Json {
  return {
    dynamicOutputs: mapToJson(dynamic ?? new Map<string, DerivationInput>(), inputToJson),
    outputs: [...outputs].sort(),
  };
}

function outputToJson(output: DerivationOutput): Json {
  const kind = outputKind(output);
  if (kind === "deferred") return {};
  if (kind === "input-addressed") return { path: baseNameOf(output.path) };
  if (kind === "fixed") {
    const { method, hash } = outputContentAddress(output.hashAlgorithm, output.hash);
    return { hash: printHash(hash, "sri"), method };
  }
  const { method, algorithm } = parseMethodAlgorithm(output.hashAlgorithm);
  return { hashAlgo: algorithm, method, ...(kind === "impure" ? { impure: true } : {}) };
}

/**
 * Reads version 4; gives the derivation and its name.
 * @throws FormatError "json"
 */
export function derivationFromJson(json: Json, storeDir = DEFAULT_STORE_DIR): { derivation: Derivation; name: string } {
  const whole = members(json, "derivation");
  if (whole["version"] !== 4) {
    throw jsonError(`Expected JSON derivation version '4', but got '${printJson(whole["version"] ?? null)}'`);
  }
  const name = text(whole, "name");
  const inputs = members(required(whole, "inputs"), "inputs");
  const full = (baseName: string) => parseStorePath(`${storeDir}/${baseName}`, storeDir);
  const env = new Map(entries(whole, "env").map(([key, value]) => [key, asText(value, `env.${key}`)]));
  const structured = whole["structuredAttrs"];
  if (structured !== undefined && structured !== null) env.set("__json", printJson(structured));
  const derivation: Derivation = {
    outputs: new Map(
      entries(whole, "outputs").map(([key, value]) => [key, outputFromJson(value, key, name, storeDir)]),
    ),
    inputDerivations: new Map(entries(inputs, "drvs").map(([key, value]) => [full(key), inputFromJson(value)])),
    inputSources: texts(inputs, "srcs").map(full),
    system: text(whole, "system"),
    builder: text(whole, "builder"),
    args: texts(whole, "args"),
    env,
  };
  return { derivation, name };
}

function inputFromJson(json: Json): DerivationInput {
  const input = members(json, "input");
  const dynamic = new Map(entries(input, "dynamicOutputs").map(([key, value]) => [key, inputFromJson(value)]));
  return dynamic.size === 0 ? { outputs: texts(input, "outputs") } : { outputs: texts(input, "outputs"), dynamic };
}

const METHODS = new Set(["nar", "flat", "git", "text"]);

function outputFromJson(json: Json, outputName: string, name: string, storeDir: string): DerivationOutput {
  const output = members(json, `outputs.${outputName}`);
  const { path, hash, hashAlgo, impure } = output;
  if (path !== undefined) {
    return { path: `${storeDir}/${asText(path, "path")}`, hashAlgorithm: "", hash: "" };
  }
  if (hash === undefined && hashAlgo === undefined) return { path: "", hashAlgorithm: "", hash: "" };
  const method = text(output, "method");
  if (!METHODS.has(method)) throw jsonError(`unknown content addressing method '${method}'`);
  if (hash !== undefined) {
    const parsed = parseHash(asText(hash, "hash"));
    const address = { method: method as ContentMethod, hash: parsed };
    const made = makeContentPath(address, outputPathName(name, outputName), undefined, storeDir);
    const hashAlgorithm = printMethodAlgorithm(address.method, parsed.algorithm);
    return { path: made, hashAlgorithm, hash: encodeBase16(parsed.bytes) };
  }
  const hashAlgorithm = printMethodAlgorithm(method as ContentMethod, asText(hashAlgo as Json, "hashAlgo"));
  return { path: "", hashAlgorithm, hash: impure === true ? "impure" : "" };
}

function members(json: Json, what: string): Members {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Members;
  throw jsonError(`Expected JSON value of ${what} to be of type 'object'`);
}

function required(from: Members, key: string): Json {
  const value = from[key];
  if (value === undefined) throw jsonError(`Expected JSON object to contain key '${key}' but it doesn't`);
  return value;
}

function entries(from: Members, key: string): [string, Json][] {
  return Object.entries(members(required(from, key), key));
}

function asText(json: Json, what: string): string {
  if (typeof json !== "string") throw jsonError(`Expected JSON value of ${what} to be of type 'string'`);
  return json;
}

function text(from: Members, key: string): string {
  return asText(required(from, key), key);
}

function texts(from: Members, key: string): string[] {
  const list = required(from, key);
  if (!Array.isArray(list)) throw jsonError(`Expected JSON value of ${key} to be of type 'array'`);
  return list.map((item: Json) => asText(item, key));
}

function jsonError(message: string): FormatError {
  return new FormatError("json", message);
}
