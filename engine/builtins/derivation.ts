/**
 * Derivations: `derivationStrict` turns a set of attributes into a .drv and the paths of its outputs, byte for byte as C++ Nix does.
 *
 * Invariant: everything that a derivation's attributes mention through string context becomes an input of it; the store paths follow
 * from the attributes alone, so instantiating never needs the outside except to write the .drv.
 */
import { drive } from "#engine/eval/call.ts";
import { coerceNow, coerceToString } from "#engine/eval/coerce.ts";
import type { EvalContext, WrittenDerivation } from "#engine/eval/context.ts";
import { NixError, addTrace } from "#engine/eval/error.ts";
import { checkArg } from "#engine/eval/expect.ts";
import { force } from "#engine/eval/force.ts";
import { Keys, compareNames } from "#engine/eval/keys.ts";
import { attributePos, type Pos } from "#engine/eval/positions.ts";
import { angled, printPos } from "#engine/eval/print.ts";
import { outputElement, parseContextElement } from "#engine/eval/string-context.ts";
import { ContextString, isString, textOf, Attrs } from "#engine/eval/value.ts";
import type { NixString, Slot } from "#engine/eval/value.ts";
import { compareByteStrings } from "#engine/store/format/bytes.ts";
import {
  createModuloCache,
  derivationParts,
  derivationPath,
  derivationReferences,
  downstreamPlaceholder,
  fillOutputPaths,
  hashDerivationModulo,
  hashPlaceholder,
  parseDerivation,
  printDerivation,
  type Derivation,
  type DerivationHashes,
  type DerivationOutput,
  type DerivationParts,
} from "#engine/store/format/derivation.ts";
import {
  isHashAlgorithm,
  parseHash,
  printHash,
  zeroHash,
  type Hash,
  type HashAlgorithm,
} from "#engine/store/format/hash.ts";
import {
  makeContentPath,
  outputPathName,
  printMethodAlgorithm,
  storeNameProblem,
  type ContentMethod,
} from "#engine/store/format/store-path.ts";
import { demand, withFormatErrors } from "./demand.ts";
import { demandNow } from "./direct.ts";
import { JsonError, parseJson } from "./json-parse.ts";
import { toJson } from "./json.ts";
import { arg, builtin, type BuiltinFamily, type Routine } from "./record.ts";

/** What the attributes say, before paths are computed. */
interface Draft {
  readonly name: string;
  system: string;
  builder: string;
  readonly args: string[];
  readonly env: Map<string, string>;
  /** Members of `__json` when attributes are structured: name to JSON text. */
  readonly json: Map<string, string> | undefined;
  readonly context: Set<string>;
  outputs: string[];
  outputHash: string | undefined;
  algorithm: HashAlgorithm | undefined;
  method: ContentMethod | undefined;
  contentAddressed: boolean;
  impure: boolean;
}

function* derivationStrict(set: Attrs, context: EvalContext): Routine<Slot> {
  const nameSlot = set.get("name");
  if (nameSlot === undefined) {
    const where = "in the attrset passed as argument to builtins.derivationStrict";
    throw new NixError("missing", "attribute 'name' missing").within(where);
  }
  const namePos = attributePos(set.positions, set.keys, "name");
  let name: string;
  try {
    const where = "while evaluating the `name` attribute passed to builtins.derivationStrict";
    name = yield* demand(nameSlot, "plain", where);
  } catch (thrown) {
    throw addTrace(thrown, "while evaluating the derivation attribute 'name'", namePos);
  }
  try {
    return yield* instantiate(name, set, context);
  } catch (thrown) {
    throw derivationTrace(thrown, name, namePos);
  }
}

/** `derivationStrict` on the JavaScript stack. */
function derivationStrictNow(set: Attrs, context: EvalContext): Slot {
  const structured = set.get("__structuredAttrs");
  const nameSlot = set.get("name");
  if (structured !== undefined || nameSlot === undefined) return drive(derivationStrict(set, context));
  const namePos = attributePos(set.positions, set.keys, "name");
  let name: string;
  try {
    name = demandNow(nameSlot, "plain", "while evaluating the `name` attribute passed to builtins.derivationStrict");
  } catch (thrown) {
    throw addTrace(thrown, "while evaluating the derivation attribute 'name'", namePos);
  }
  try {
    checkName(name);
    const draft = readAttributesNow(name, set, context);
    checkDraft(draft, context);
    return withFormatErrors(() => finish(draft, context));
  } catch (thrown) {
    throw derivationTrace(thrown, name, namePos);
  }
}

function derivationTrace(thrown: unknown, name: string, namePos: Pos | undefined): unknown {
  const place = namePos === undefined ? `${angled("none")}:0` : printPos(namePos);
  return addTrace(thrown, `while evaluating derivation '${name}'\n  whose name attribute is located at ${place}`);
}

function readAttributesNow(name: string, set: Attrs, context: EvalContext): Draft {
  const ignore = set.get("__ignoreNulls");
  const where = "while evaluating the `__ignoreNulls` attribute passed to builtins.derivationStrict";
  const ignoreNulls = ignore === undefined ? false : demandNow(ignore, "bool", where);
  const draft = newDraft(name, false);
  for (let i = 0; i < set.size; i++) {
    const key = set.keys.names[i]!;
    if (key === "__ignoreNulls") continue;
    try {
      const slot = set.values[i]!;
      if (ignoreNulls && force(slot) === null) continue;
      if (isPlainAttribute(key)) setPlain(draft, key, plainNow(slot), context);
      else drive(answered(readAttribute(draft, key, slot, context)));
    } catch (thrown) {
      throw attributeTrace(thrown, name, key, set);
    }
  }
  return draft;
}

/** Attributes that are nothing but text to a derivation that is not structured. */
const isPlainAttribute = (key: string): boolean => key !== "args" && key !== "__contentAddressed" && key !== "__impure";

function plainNow(slot: Slot): NixString {
  const value = force(slot);
  try {
    return coerceNow(value, plainHow);
  } catch (thrown) {
    throw withoutEmptyFrames(thrown);
  }
}

/** A routine without a result, for whoever drives routines with one. */
function* answered(routine: Routine<void>): Routine<Slot> {
  yield* routine;
  return null;
}

function attributeTrace(thrown: unknown, name: string, key: string, set: Attrs): unknown {
  const pos = attributePos(set.positions, set.keys, key);
  return addTrace(thrown, `while evaluating attribute '${key}' of derivation '${name}'`, pos);
}

function checkName(name: string): void {
  const problem = storeNameProblem(name);
  if (problem === undefined) return;
  throw new NixError("eval", `invalid derivation name: ${problem}. Please pass a different 'name'.`);
}

function* instantiate(name: string, set: Attrs, context: EvalContext): Routine<Slot> {
  checkName(name);
  const draft = yield* readAttributes(name, set, context);
  checkDraft(draft, context);
  return withFormatErrors(() => finish(draft, context));
}

const newDraft = (name: string, structured: boolean): Draft => ({
  name,
  system: "",
  builder: "",
  args: [],
  env: new Map(),
  json: structured ? new Map() : undefined,
  context: new Set(),
  outputs: ["out"],
  outputHash: undefined,
  algorithm: undefined,
  method: undefined,
  contentAddressed: false,
  impure: false,
});

function* readAttributes(name: string, set: Attrs, context: EvalContext): Routine<Draft> {
  const structured = yield* flag(set, "__structuredAttrs");
  const ignoreNulls = yield* flag(set, "__ignoreNulls");
  const draft = newDraft(name, structured);
  for (let i = 0; i < set.size; i++) {
    const key = set.keys.names[i]!;
    if (key === "__ignoreNulls") continue;
    try {
      const slot = set.values[i]!;
      if (ignoreNulls && (yield slot) === null) continue;
      yield* readAttribute(draft, key, slot, context);
    } catch (thrown) {
      throw attributeTrace(thrown, name, key, set);
    }
  }
  return draft;
}

function* flag(set: Attrs, name: string): Routine<boolean> {
  const slot = set.get(name);
  if (slot === undefined) return false;
  return yield* demand(slot, "bool", `while evaluating the \`${name}\` attribute passed to builtins.derivationStrict`);
}

function* readAttribute(draft: Draft, key: string, slot: Slot, context: EvalContext): Routine<void> {
  switch (key) {
    case "__contentAddressed":
    case "__impure": {
      const where = `while evaluating the \`${key}\` attribute passed to builtins.derivationStrict`;
      if (!(yield* demand(slot, "bool", where))) return;
      context.requireFeature(key === "__impure" ? "impure-derivations" : "ca-derivations");
      if (key === "__impure") draft.impure = true;
      else draft.contentAddressed = true;
      return;
    }
    case "args":
      yield* readArgs(draft, slot);
      return;
    default:
      if (draft.json === undefined) yield* readPlain(draft, key, slot, context);
      else yield* readStructured(draft, draft.json, key, slot, context);
  }
}

function* readArgs(draft: Draft, slot: Slot): Routine<void> {
  const list = checkArg(yield slot, "list") as readonly Slot[];
  for (const element of list) {
    draft.args.push(yield* attributeText(draft, element, "while evaluating an element of the argument list"));
  }
}

function* attributeText(draft: Draft, slot: Slot, context: string): Routine<string> {
  return noteContext(draft, yield* coerceToString(slot, { more: true, copy: true, context }));
}

function noteContext(draft: Draft, string: NixString): string {
  if (typeof string === "string") return string;
  for (const element of string.context) draft.context.add(element);
  return string.text;
}

const plainHow = { more: true, copy: true, context: "" };

function* readPlain(draft: Draft, key: string, slot: Slot, context: EvalContext): Routine<void> {
  const value = yield slot;
  let string: NixString;
  try {
    string = yield* coerceToString(value, plainHow);
  } catch (thrown) {
    throw withoutEmptyFrames(thrown);
  }
  setPlain(draft, key, string, context);
}

function setPlain(draft: Draft, key: string, string: NixString, context: EvalContext): void {
  const text = noteContext(draft, string);
  if (key === "__json") {
    const message = `In derivation '${draft.name}': setting structured attributes via '__json' is deprecated, and may be disallowed in future versions of Nix. Set '__structuredAttrs = true' instead.`;
    context.io.log(`warning: ${message}`);
    try {
      parseJson(text);
    } catch (thrown) {
      if (thrown instanceof JsonError) throw new NixError("eval", `cannot process __json attribute: ${thrown.message}`);
      throw thrown;
    }
  }
  draft.env.set(key, text);
  if (key === "outputs")
    setOutputs(
      draft,
      text.split(/[ \t\n\r]+/).filter((name) => name !== ""),
    );
  else setSpecial(draft, key, text, context);
}

/** Coercing an attribute adds no line of its own. */
function withoutEmptyFrames(thrown: unknown): unknown {
  if (!(thrown instanceof NixError)) return thrown;
  const kept = thrown.trace.filter((frame) => frame.message !== "");
  thrown.trace.splice(0, thrown.trace.length, ...kept);
  return thrown;
}

const checkedByOutput = [
  "allowedReferences",
  "allowedRequisites",
  "disallowedReferences",
  "disallowedRequisites",
  "maxSize",
  "maxClosureSize",
];

function* readStructured(
  draft: Draft,
  json: Map<string, string>,
  key: string,
  slot: Slot,
  context: EvalContext,
): Routine<void> {
  if (key === "__structuredAttrs") return;
  json.set(key, noteContext(draft, yield* toJson(slot, true)));
  if (checkedByOutput.includes(key)) {
    const message = `In a derivation named '${draft.name}', 'structuredAttrs' disables the effect of the derivation attribute '${key}'; use 'outputChecks.<output>.${key}' instead`;
    context.io.log(`warning: ${message}`);
  }
  if (key === "outputs") {
    const names: string[] = [];
    const where = "while evaluating the `outputs` attribute passed to builtins.derivationStrict";
    for (const element of yield* demand(slot, "list", where)) names.push(yield* demand(element, "plain", where));
    setOutputs(draft, names);
  } else if (["builder", "system", "outputHash", "outputHashAlgo", "outputHashMode"].includes(key)) {
    const value = yield slot;
    const text = isString(value) ? noteContext(draft, value) : textOf(checkArg(value, "string") as NixString);
    setSpecial(draft, key, text, context);
  }
}

function setOutputs(draft: Draft, names: readonly string[]): void {
  draft.outputs = [];
  for (const name of names) {
    if (draft.outputs.includes(name)) throw new NixError("eval", `duplicate derivation output '${name}'`);
    if (name === "drvPath") throw new NixError("eval", `invalid derivation output name 'drvPath'`);
    draft.outputs.push(name);
  }
  if (draft.outputs.length === 0) throw new NixError("eval", "derivation cannot have an empty set of outputs");
}

function setSpecial(draft: Draft, key: string, text: string, context: EvalContext): void {
  switch (key) {
    case "builder":
      draft.builder = text;
      return;
    case "system":
      draft.system = text;
      return;
    case "outputHash":
      draft.outputHash = text;
      return;
    case "outputHashAlgo":
      draft.algorithm = isHashAlgorithm(text) ? text : undefined;
      return;
    case "outputHashMode":
      draft.method = hashMethod(draft, text, context);
      return;
    default:
  }
}

function hashMethod(draft: Draft, mode: string, context: EvalContext): ContentMethod {
  switch (mode) {
    case "recursive":
    case "nar":
      return "nar";
    case "flat":
      return "flat";
    case "text":
      context.requireFeature("dynamic-derivations", `text-hashed derivation '${draft.name}', outputHashMode = "text"`);
      return "text";
    case "git":
      context.requireFeature("git-hashing");
      return "git";
    default:
      throw new NixError("eval", `invalid value '${mode}' for 'outputHashMode' attribute`);
  }
}

function checkDraft(draft: Draft, _context: EvalContext): void {
  if (draft.builder === "") throw new NixError("eval", "required attribute 'builder' missing");
  if (draft.system === "") throw new NixError("eval", "required attribute 'system' missing");
  if (!draft.name.endsWith(".drv")) return;
  if (draft.contentAddressed && draft.method === "text" && draft.outputs.length === 1 && draft.outputs[0] === "out")
    return;
  throw new NixError(
    "eval",
    "derivation names are allowed to end in '.drv' only if they produce a single derivation file",
  );
}

/** Inputs from the context: derivations with the outputs wanted of them, and plain paths. */
function inputsOf(draft: Draft, context: EvalContext): Pick<Derivation, "inputDerivations" | "inputSources"> {
  const wanted = new Map<string, Set<string>>();
  const sources = new Set<string>();
  const want = (path: string, output: string): void => {
    const outputs = wanted.get(path) ?? new Set();
    wanted.set(path, outputs.add(output));
  };
  for (const encoded of draft.context) {
    const element = parseContextElement(encoded);
    if (element.kind === "path") sources.add(element.path);
    else if (element.kind === "output") want(element.path, element.output);
    else {
      for (const path of closureOf(element.path, context)) {
        sources.add(path);
        if (!path.endsWith(".drv")) continue;
        for (const output of readDerivation(path, context).outputs.keys()) want(path, output);
      }
    }
  }
  const inputDerivations = new Map(
    [...wanted].map(([path, outputs]) => [path, { outputs: [...outputs].sort(compareByteStrings) }] as const),
  );
  return { inputDerivations, inputSources: [...sources].sort(compareByteStrings) };
}

/** A store path and everything it refers to. */
function closureOf(path: string, context: EvalContext): Set<string> {
  const found = new Set<string>();
  const work = [path];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    if (found.has(next)) continue;
    const written = context.settings.readOnly ? undefined : context.derivations.get(next);
    const references = written?.references ?? context.io.references(next);
    if (references === undefined) throw new NixError("io", `path '${next}' is not valid`);
    found.add(next);
    work.push(...references);
  }
  return found;
}

function readDerivation(path: string, context: EvalContext): Derivation {
  return parseDerivation(context.derivations.get(path)?.text ?? context.io.readDerivation(path));
}

/** A derivation with the parts of its text. */
interface Made {
  readonly derivation: Derivation;
  readonly parts: DerivationParts;
}

/** Derivations just made, until they are hashed as somebody's input: so none is parsed from its own text. */
const justMade = new WeakMap<object, Map<string, Made>>();
const maxJustMade = 5_000;

function madeBy(context: EvalContext): Map<string, Made> {
  let made = justMade.get(context.derivations);
  if (made === undefined) justMade.set(context.derivations, (made = new Map()));
  if (made.size > maxJustMade) made.clear();
  return made;
}

/** Hashes modulo of derivations by path, kept as long as the evaluator's table of derivations. */
const moduloCaches = new WeakMap<object, (drvPath: string) => DerivationHashes>();

function hashesOf(context: EvalContext): (drvPath: string) => DerivationHashes {
  let cache = moduloCaches.get(context.derivations);
  if (cache === undefined || context.derivations.size === 0) {
    const made = madeBy(context);
    cache = createModuloCache(
      (path) => made.get(path)?.derivation ?? readDerivation(path, context),
      (path) => {
        const parts = made.get(path)?.parts;
        made.delete(path);
        return parts;
      },
    );
    moduloCaches.set(context.derivations, cache);
  }
  return cache;
}

/** What drafts became, by what they say: the same derivation is hashed once, however often it is evaluated. */
const finished = new WeakMap<object, Map<string, WrittenDerivation>>();
const maxFinished = 20_000;

function finishedBy(context: EvalContext): Map<string, WrittenDerivation> {
  let known = finished.get(context.derivations);
  if (known === undefined) finished.set(context.derivations, (known = new Map()));
  if (known.size > maxFinished || context.derivations.size === 0) known.clear();
  return known;
}

/** An input-addressed derivation, whose paths follow from its masked text and its name. */
function finishPlain(draft: Draft, masked: Derivation, context: EvalContext): Slot {
  const known = finishedBy(context);
  const parts = derivationParts(masked);
  const key = `${draft.name}\n${context.settings.storeDir}\n${printDerivation(masked, false, parts)}`;
  const before = known.get(key);
  if (before !== undefined && context.derivations.has(before.drvPath)) return written(before);
  const hashes = hashDerivationModulo(masked, true, hashesOf(context), parts);
  const { storeDir } = context.settings;
  const derivation = hashes.kind === "deferred" ? masked : fillOutputPaths(masked, draft.name, hashes, storeDir);
  const result = register(draft, derivation, context);
  known.set(key, result);
  return written(result);
}

function finish(draft: Draft, context: EvalContext): Slot {
  if (draft.json !== undefined) draft.env.set("__json", jsonObject(draft.json));
  const base = {
    ...inputsOf(draft, context),
    system: draft.system,
    builder: draft.builder,
    args: draft.args,
    env: draft.env,
  };
  if (draft.outputHash !== undefined) return written(register(draft, fixedOutput(draft, base, context), context));
  if (draft.contentAddressed || draft.impure)
    return written(register(draft, floatingOutputs(draft, base, context), context));
  for (const output of draft.outputs) draft.env.set(output, "");
  const empty: DerivationOutput = { path: "", hashAlgorithm: "", hash: "" };
  return finishPlain(draft, { ...base, outputs: outputMap(draft, () => empty) }, context);
}

const outputMap = (draft: Draft, make: (name: string) => DerivationOutput): Map<string, DerivationOutput> =>
  new Map([...draft.outputs].sort(compareByteStrings).map((name) => [name, make(name)] as const));

const jsonObject = (members: ReadonlyMap<string, string>): string =>
  `{${[...members]
    .sort(([a], [b]) => compareNames(a, b))
    .map(([name, json]) => `${JSON.stringify(name)}:${json}`)
    .join(",")}}`;

function fixedOutput(draft: Draft, base: Omit<Derivation, "outputs">, context: EvalContext): Derivation {
  if (draft.outputs.length !== 1 || draft.outputs[0] !== "out") {
    throw new NixError("eval", "multiple outputs are not supported in fixed-output derivations");
  }
  const hash = outputHash(draft.outputHash!, draft.algorithm, context);
  const method = draft.method ?? "flat";
  const path = makeContentPath(
    { method, hash },
    outputPathName(draft.name, "out"),
    undefined,
    context.settings.storeDir,
  );
  draft.env.set("out", path);
  const output = { path, hashAlgorithm: printMethodAlgorithm(method, hash.algorithm), hash: printHash(hash, "base16") };
  return { ...base, outputs: new Map([["out", output]]) };
}

function outputHash(text: string, algorithm: HashAlgorithm | undefined, context: EvalContext): Hash {
  if (text !== "") return parseHash(text, algorithm);
  if (algorithm === undefined) throw new NixError("eval", "empty hash requires explicit hash algorithm");
  const hash = zeroHash(algorithm);
  context.io.log(`warning: found empty hash, assuming '${printHash(hash, "sri")}'`);
  return hash;
}

function floatingOutputs(draft: Draft, base: Omit<Derivation, "outputs">, context: EvalContext): Derivation {
  if (draft.contentAddressed && draft.impure) {
    throw new NixError("eval", "derivation cannot be both content-addressed and impure");
  }
  context.requireFeature("ca-derivations");
  const hashAlgorithm = printMethodAlgorithm(draft.method ?? "nar", draft.algorithm ?? "sha256");
  for (const output of draft.outputs) draft.env.set(output, hashPlaceholder(output));
  return {
    ...base,
    outputs: outputMap(draft, () => ({ path: "", hashAlgorithm, hash: draft.impure ? "impure" : "" })),
  };
}

/** Writes the .drv, unless it is written already. */
function register(draft: Draft, derivation: Derivation, context: EvalContext): WrittenDerivation {
  const parts = derivationParts(derivation);
  const text = printDerivation(derivation, false, parts);
  const drvPath = derivationPath(derivation, draft.name, text, context.settings.storeDir);
  const known = context.derivations.get(drvPath);
  if (known !== undefined) return known;
  const references = derivationReferences(derivation);
  if (!context.settings.readOnly) context.io.writeDerivation(drvPath, text, references);
  const outputs = Object.fromEntries([...derivation.outputs].map(([name, { path }]) => [name, path]));
  const result = { drvPath, name: draft.name, text, references, outputs };
  context.derivations.set(drvPath, result);
  madeBy(context).set(drvPath, { derivation, parts });
  return result;
}

/** The set `{ drvPath; OUTPUT…; }`. */
function written({ drvPath, outputs }: WrittenDerivation): Attrs {
  const slots = new Map<string, Slot>([["drvPath", new ContextString(drvPath, new Set([`=${drvPath}`]))]]);
  for (const [name, path] of Object.entries(outputs)) {
    const shown = path === "" ? downstreamPlaceholder(drvPath, name) : path;
    slots.set(name, new ContextString(shown, new Set([outputElement(drvPath, name)])));
  }
  const names = [...slots.keys()].sort(compareNames);
  return new Attrs(
    new Keys(names),
    names.map((name) => slots.get(name)!),
  );
}

export const derivationBuiltins: BuiltinFamily = [
  builtin({
    name: "derivationStrict",
    global: true,
    args: [arg("attrs", "attrs", "while evaluating the argument passed to builtins.derivationStrict")],
    doc: "Instantiates a derivation at once and returns `{ drvPath; }` with the path of each output. `derivation` is the lazy form.",
    routine: ([set], context) => derivationStrict(set, context),
    direct: ([set], context) => derivationStrictNow(set, context),
  }),
  builtin({
    name: "placeholder",
    global: true,
    args: [arg("output", "plain")],
    doc: "Returns a text that stands for the path of the output of that name of the derivation it is used in; the builder sees the path.",
    impl: ([output]) => hashPlaceholder(output),
  }),
];

/** `derivation`, in the language itself; laid out so that positions in traces are the ones C++ Nix prints. */
export const derivationSource = `# The function behind the name derivation: a derivation as a lazy set.
#
# What is wanted of it (the paths of its outputs, of its .drv) is computed by
# derivationStrict when it is first looked at. The set has all attributes that
# were passed, one attribute for each output, holding a set like this one for
# that output, and the following.
#
#   all         the sets of all outputs
#   drvAttrs    the attributes that were passed
#   drvPath     the store path of the .drv
#   outPath     the store path of the output
#   outputName  the name of the output
#   type        the string derivation
#
# The set stands for the first output named in outputs.
#
#
#
#
#
#
#
#
#
#
#
#
/*
*/
drvAttrs@{
  outputs ? [ "out" ],
  ...
}:
let


  strict = derivationStrict drvAttrs;

  commonAttrs =
    drvAttrs
    // (builtins.listToAttrs outputsList)
    // {
      all = map (x: x.value) outputsList;
      inherit drvAttrs;
    };

  outputToAttrListElement = outputName: {
    name = outputName;
    value = commonAttrs // {
      outPath = builtins.getAttr outputName strict;
      drvPath = strict.drvPath;
      type = "derivation";
      inherit outputName;
    };
  };

  outputsList = map outputToAttrListElement outputs;

in
(builtins.head outputsList).value
`;
