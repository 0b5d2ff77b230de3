/**
 * A differential campaign: random expressions, well typed and ill typed, evaluated by the engine and by C++ Nix; values and final error
 * messages must agree. Differences are shrunk and listed.
 *
 *   NIX_ORACLE=DIR/bin node scripts/campaign-eval.mjs [--minutes N] [--seed N]
 *
 * The same seed gives the same expressions. Ends with exit code 1 when there was a difference.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import { ask, fixtures, parseError } from "./oracle.mjs";

const option = (name, fallback) => {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? fallback : Number(process.argv[index + 1]);
};
const minutes = option("minutes", 1);
const seed = option("seed", 1);

/** Bundles what the campaign needs of the engine, and loads it. */
async function loadEngine() {
  const root = new URL("..", import.meta.url).pathname;
  const folder = join(root, ".cache/campaign");
  mkdirSync(folder, { recursive: true });
  const entry = join(folder, "entry.ts");
  writeFileSync(
    entry,
    `export { createEvaluator } from "#engine/eval/evaluator.ts";
export { NixError } from "#engine/eval/error.ts";
export { printAmbiguous } from "#engine/eval/print.ts";
export { stringSource } from "#engine/syntax/source.ts";\n`,
  );
  await build({
    root,
    configFile: false,
    logLevel: "error",
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: "engine.mjs" } },
    },
  });
  return import(pathToFileURL(join(folder, "engine.mjs")));
}

// Random numbers: a small generator of our own, so that a seed means the same everywhere.
let state = (seed * 2654435761) >>> 0 || 1;
function random(limit) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % limit;
}
const pick = (items) => items[random(items.length)];

// Expressions are trees [text pieces and subtrees], so that shrinking can take parts away.
const leaf = {
  int: () => [
    pick(["0", "1", "2", "3", "7", "(-1)", "10", "9223372036854775807", "4611686018427387904", "9007199254740993"]),
  ],
  float: () => [pick(["0.5", "1.0", "2.5", "(-1.5)", "1.0e10", "0.1", "1.0e300"])],
  string: () => [
    pick(['""', '"a"', '"b"', '"abc"', '"a b"', '"1.2.3"', '"hello-1.0"', '"é"', '"x/y"', '"a\\nb"', '"${"z"}"']),
  ],
  bool: () => [pick(["true", "false"])],
  null: () => ["null"],
  path: () => [pick(["/a", "/a/b", "/a/b/c", "./hello.txt"])],
  list: () => [pick(["[ ]", "[ 1 2 3 ]", '[ "a" "b" ]', "[ [ 1 ] [ 2 ] ]", '[ { name = "a"; value = 1; } ]'])],
  attrs: () => [pick(["{ }", "{ a = 1; }", '{ a = 1; b = "x"; }', "{ a.b = 1; }", "{ b = 2; c = { }; }"])],
  fun: () => [
    pick(["(x: x)", "(x: [ x ])", "(x: { a = x; })", "(x: y: x)", "({ a ? 1, ... }: a)", "builtins.toString"]),
  ],
};
const types = Object.keys(leaf);
const b = (name, ...args) => ["(builtins.", name, ...args.flatMap((arg) => [" ", arg]), ")"];
const predicate = (d) =>
  pick([
    () => ["(x: ", gen("bool", d), ")"],
    () => ["builtins.", pick(["isInt", "isString", "isAttrs"])],
    () => ["(x: x == ", gen("any", d), ")"],
  ])();
const mapper = (type, d) => pick([() => ["(x: ", gen(type, d), ")"], () => ["(x: x)"]])();
const binary = (d, left, operators, right = left) => ["(", gen(left, d), " ", pick(operators), " ", gen(right, d), ")"];
const number = () => pick(["int", "int", "float"]);

const grow = {
  int: [
    (d) => binary(d, "int", ["+", "-", "*", "/"]),
    (d) => b("length", gen("list", d)),
    (d) => b("stringLength", gen("string", d)),
    (d) => b(pick(["add", "sub", "mul", "div", "bitAnd", "bitOr", "bitXor"]), gen("int", d), gen("int", d)),
    (d) => b(pick(["ceil", "floor"]), gen(number(), d)),
    (d) => b("compareVersions", gen("string", d), gen("string", d)),
    (d) => b("foldl'", pick([["(x: y: x + 1)"], ["builtins.add"], ["(x: y: y)"]]), gen("int", d), gen("list", d)),
    (d) => ["(", gen("attrs", d), ".a or ", gen("int", d), ")"],
    (d) => b("head", gen("list", d)),
    (d) => b("elemAt", gen("list", d), leaf.int()),
  ],
  float: [
    (d) => binary(d, "float", ["+", "-", "*", "/"], number()),
    (d) => binary(d, number(), ["+", "-", "*", "/"], "float"),
  ],
  string: [
    (d) => binary(d, "string", ["+"]),
    (d) => b("toString", gen("any", d)),
    (d) => b("toJSON", gen("any", d)),
    (d) => b("toXML", gen("any", d)),
    (d) => b("substring", gen("int", d), gen("int", d), gen("string", d)),
    (d) => b("concatStringsSep", gen("string", d), gen("list", d)),
    (d) => b("replaceStrings", gen("list", d), gen("list", d), gen("string", d)),
    (d) => b("typeOf", gen("any", d)),
    (d) => b(pick(["baseNameOf", "dirOf", "unsafeDiscardStringContext"]), gen("string", d)),
    (d) => b("hashString", pick([['"md5"'], ['"sha256"'], ['"sha1"']]), gen("string", d)),
    (d) => ['"${', gen("string", d), '}"'],
  ],
  bool: [
    (d) => binary(d, "any", ["==", "!="]),
    (d) => binary(d, pick(["int", "float", "string", "list"]), ["<", "<=", ">", ">="]),
    (d) => binary(d, "bool", ["&&", "||", "->"]),
    (d) => ["(!", gen("bool", d), ")"],
    (d) =>
      b(
        pick(["isInt", "isFloat", "isString", "isList", "isAttrs", "isFunction", "isPath", "isNull", "isBool"]),
        gen("any", d),
      ),
    (d) => b("elem", gen("any", d), gen("list", d)),
    (d) => b(pick(["all", "any"]), predicate(d), gen("list", d)),
    (d) => b("hasAttr", gen("string", d), gen("attrs", d)),
    (d) => ["(", gen("attrs", d), " ? ", pick(["a", "b", "a.b", '"c"']), ")"],
  ],
  null: [],
  path: [
    (d) => ["(", gen("path", d), " + ", gen(pick(["string", "path"]), d), ")"],
    () => b("dirOf", pick([["/a/b"], ["/a/b/c"]])),
  ],
  list: [
    (d) => ["[ ", gen("any", d), " ", gen("any", d), " ]"],
    (d) => binary(d, "list", ["++"]),
    (d) => b("map", mapper("any", d), gen("list", d)),
    (d) => b("filter", predicate(d), gen("list", d)),
    (d) => b("genList", mapper("any", d), [pick(["0", "1", "3", "5"])]),
    (d) => b("concatMap", mapper("list", d), gen("list", d)),
    (d) => b("concatLists", ["[ ", gen("list", d), " ", gen("list", d), " ]"]),
    (d) => b("sort", pick([["builtins.lessThan"], ["(x: y: x < y)"]]), gen("list", d)),
    (d) => b("tail", gen("list", d)),
    (d) => b(pick(["attrNames", "attrValues"]), gen("attrs", d)),
    (d) => b("catAttrs", gen("string", d), ["[ ", gen("attrs", d), " ", gen("attrs", d), " ]"]),
    (d) => b("splitVersion", gen("string", d)),
    (d) => b("split", pick([['"(b)"'], ['"[a-z]"'], ['"x*"'], ['" "']]), gen("string", d)),
    (d) => b("match", pick([['"(.*)-(.*)"'], ['"[a-z]*"'], ['"(a|b)*"']]), gen("string", d)),
  ],
  attrs: [
    (d) => ["{ ", pick(["a", "b"]), " = ", gen("any", d), "; ", pick(["c", "d.e"]), " = ", gen("any", d), "; }"],
    (d) => ["rec { a = ", gen("any", d), "; b = ", pick(["a", "[ a a ]", "{ inherit a; }"]), "; }"],
    (d) => binary(d, "attrs", ["//"]),
    (d) => b("mapAttrs", pick([["(n: v: v)"], ["(n: v: n)"], ["(n: v: [ n v ])"]]), gen("attrs", d)),
    (d) => b("removeAttrs", gen("attrs", d), gen("list", d)),
    (d) => b("intersectAttrs", gen("attrs", d), gen("attrs", d)),
    (d) => b("listToAttrs", gen("list", d)),
    (d) => b("tryEval", gen("any", d)),
    (d) => b("parseDrvName", gen("string", d)),
    (d) => b("partition", predicate(d), gen("list", d)),
    (d) => b("groupBy", mapper("string", d), gen("list", d)),
    (d) =>
      b("zipAttrsWith", pick([["(n: vs: vs)"], ["(n: vs: n)"]]), ["[ ", gen("attrs", d), " ", gen("attrs", d), " ]"]),
    (d) => b("functionArgs", gen("fun", d)),
    (d) => b("getContext", gen("string", d)),
    (d) => b("fromJSON", b("toJSON", gen("attrs", d))),
  ],
  fun: [(d) => ["(x: ", gen("any", d), ")"], (d) => ["({ a, b ? ", gen("any", d), " }: a)"]],
};
const anywhere = [
  (type, d) => ["(if ", gen("bool", d), " then ", gen(type, d), " else ", gen(type, d), ")"],
  (type, d) => ["(let x = ", gen("any", d), "; y = ", gen(type, d), "; in ", pick(["y", "builtins.seq x y"]), ")"],
  (type, d) => ["(with ", gen("attrs", d), "; ", gen(type, d), ")"],
  (type, d) => ["((x: ", gen(type, d), ") ", gen("any", d), ")"],
  (type, d) => ["(assert ", gen("bool", d), "; ", gen(type, d), ")"],
  (type, d) => b(pick(["seq", "deepSeq"]), gen("any", d), gen(type, d)),
  (type, d) =>
    ["({ a, b ? ", gen(type, d), " }: b) ", gen("attrs", d)].reduce((out, part) => [...out, part], ["("]).concat([")"]),
  () => ["(throw ", leaf.string(), ")"],
  (type, d) => ["({ a = ", gen(type, d), "; }.", pick(["a", "a", "b"]), ")"],
  (type, d) => ["(", gen("fun", d), " ", gen("any", d), ")"],
];

/** An expression, usually of the wanted type. */
function gen(wanted, depth) {
  const type = wanted === "any" || random(25) === 0 ? pick(types) : wanted;
  if (depth <= 0) return leaf[type]();
  const choices = grow[type];
  const kind = random(10);
  if (kind < 2 || choices.length === 0) return leaf[type]();
  if (kind < 4) return pick(anywhere)(type, depth - 1);
  return pick(choices)(depth - 1);
}

// Texts of the small languages: made of their pieces, now and then in the wrong place.
const quote = (text) =>
  `"${text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("${", "\\${")}"`;
const some = (pieces, most) => Array.from({ length: random(most) }, () => pick(pieces)).join("");
const jsonPieces = '{ } [ ] , : "a" "b" 1 -2 1.5 1e3 0 01 true false null tru "\\u0041" "\\ud83d" "\\x" " é \n'
  .split(" ")
  .concat([" "]);
const tomlLines = [
  "a = 1",
  "b = 'x'",
  'c = "y"',
  "a.b = 2",
  "[t]",
  "[t.u]",
  "[[l]]",
  "d = [1, 2]",
  "e = {x = 1}",
  "f = 1.5",
  "g = true",
  "a = [",
  "= 1",
  "h = 1979-05-27",
  "i = '''x'''",
  "[a]",
  "[a.b]",
  "j = 0x1F",
  "k = 1_0",
  "l = 1__0",
  'm = "\\q"',
  "n",
  "o = +",
  "# c",
  "",
  "  p = 1  # c",
];
const regexPieces =
  "a b c . * + ? | ( ) [ab] [^a] {2} {1,2} {,2} ^ $ [[:alpha:]] [a-c] [b-a] \\. \\d [ ] [] (a|b)* () (a*)* [-a] [a-]".split(
    " ",
  );
const texts = [
  () => b("fromJSON", [quote(some(jsonPieces, 9))]),
  () => b("fromJSON", [quote(`{"a":${some(jsonPieces, 4)},"b":[${some(jsonPieces, 5)}]}`)]),
  () => b("fromTOML", [quote(Array.from({ length: 1 + random(4) }, () => pick(tomlLines)).join("\n"))]),
  () => b("match", [quote(some(regexPieces, 7))], [quote(some(["a", "b", "c", "."], 8))]),
  () => b("split", [quote(some(regexPieces, 5))], [quote(some(["a", "b", "c", " "], 8))]),
];

const print = (tree) => (typeof tree === "string" ? tree : tree.map(print).join(""));

const engine = await loadEngine();
const files = new Map([[`${fixtures}/hello.txt`, "hello\n"]]);
const refuse = (path) => {
  throw new Error(`the campaign reads nothing: ${path}`);
};
const io = {
  readFile: (path) => files.get(path) ?? refuse(path),
  readDir: () => [],
  lstat: (path) => (files.has(path) ? { type: "regular", executable: false, size: 6 } : undefined),
  readLink: refuse,
  getEnv: () => undefined,
  currentTime: () => 0,
  addSource: () => "/nix/store/i9pmrzmpshapij2kin22pff6fc2adavx-hello.txt",
  addText: refuse,
  writeDerivation: () => undefined,
  readDerivation: refuse,
  isValidPath: () => false,
  references: () => undefined,
  realise: refuse,
  fetch: refuse,
  log: () => undefined,
};

/** What the engine answers: a value, or "error: " and the message. */
function ours(expr) {
  try {
    const evaluator = engine.createEvaluator({ io, settings: { system: "i686-linux" } });
    const bytes = Buffer.from(expr, "utf8").toString("latin1");
    const slot = evaluator.expression({ ...engine.stringSource(bytes), basePath: fixtures });
    evaluator.forceDeep(slot);
    return engine.printAmbiguous(slot);
  } catch (thrown) {
    return thrown instanceof engine.NixError ? `error: ${thrown.message.trimEnd()}` : `BUG: ${thrown.stack}`;
  }
}

async function theirs(expr) {
  const { code, out, err } = await ask({ expr, flags: "" });
  if (code === 0) return out.replace(/\n$/, "");
  return /^error:/m.test(err) ? `error: ${parseError(err).message}` : `DIED: ${err.slice(0, 200)}`;
}

/**
 * What is compared of an answer. Written-down differences: one message of C++ Nix has a varying number of spaces at the begin of a line,
 * and after a first error in TOML it reports what it stumbles over while it looks for the end of the same value.
 */
const comparable = (text) =>
  (text.startsWith("error: while parsing TOML") ? text.split("\n", 1)[0] : text).replace(/\n +/g, "\n");

const differ = async (tree) => {
  const expr = print(tree);
  const mine = ours(expr);
  const other = await theirs(expr);
  return comparable(mine) === comparable(other) || other.startsWith("DIED") ? undefined : { expr, mine, other };
};

/** Trees with one part taken away: a subtree in the whole's place, or a leaf in a subtree's place. */
function* smaller(tree) {
  if (typeof tree === "string") return;
  for (const [index, part] of tree.entries()) {
    if (typeof part === "string") continue;
    yield part;
    for (const simple of ["1", '"a"', "[ ]", "{ }", "null"]) {
      if (print(part).length > simple.length) yield tree.with(index, simple);
    }
    for (const inner of smaller(part)) yield tree.with(index, inner);
  }
}

async function shrink(tree, found) {
  let best = { tree, ...found };
  for (let tries = 0, again = true; again && tries < 200;) {
    again = false;
    for (const candidate of smaller(best.tree)) {
      if (++tries > 200) break;
      if (print(candidate).length >= best.expr.length) continue;
      const result = await differ(candidate);
      if (result === undefined) continue;
      best = { tree: candidate, ...result };
      again = true;
      break;
    }
  }
  return best;
}

mkdirSync(fixtures, { recursive: true });
writeFileSync(`${fixtures}/hello.txt`, "hello\n");
const end = Date.now() + minutes * 60_000;
const seen = new Set();
let count = 0;
while (Date.now() < end) {
  const trees = [gen("any", 4), gen("any", 3), pick(texts)()];
  const results = await Promise.all(trees.map(differ));
  count += trees.length;
  for (const [index, found] of results.entries()) {
    if (found === undefined) continue;
    const { expr, mine, other } = await shrink(trees[index], found);
    if (seen.has(expr)) continue;
    seen.add(expr);
    console.log(`\n${expr}\n  engine: ${mine}\n  nix:    ${other}`);
  }
}
console.log(`\n${count} expressions, ${seen.size} differences (seed ${seed})`);
process.exitCode = seen.size === 0 ? 0 : 1;
