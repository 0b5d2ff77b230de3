/**
 * The expressions of the evaluator's campaign: a seeded generator of well and ill typed Nix over every construct and nearly every builtin.
 *
 * An expression is a tree of text pieces and subtrees, so that a difference can be shrunk by taking parts away. The same seed gives the
 * same expressions everywhere. Variables are generated with their scopes, so most of them are bound.
 */

/** Numbers from a small generator of our own: `random(limit)` is a whole number below the limit. */
export function makeRandom(seed) {
  let state = (seed * 2654435761) >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % limit;
  };
}

export const print = (tree) => (typeof tree === "string" ? tree : tree.map(print).join(""));

const INTS = [
  "0",
  "1",
  "2",
  "3",
  "7",
  "(-1)",
  "10",
  "255",
  "9223372036854775807",
  "4611686018427387904",
  "9007199254740993",
];
const FLOATS = [
  "0.5",
  "1.0",
  "2.5",
  "(-1.5)",
  "1.0e10",
  "0.1",
  "1.0e300",
  ".5",
  "5.",
  "100000.0",
  "1000000.0",
  "1.0e-7",
];
const STRINGS = [
  '""',
  '"a"',
  '"b"',
  '"abc"',
  '"a b"',
  '"1.2.3"',
  '"1.2pre4"',
  '"hello-1.0"',
  '"é"',
  '"x/y"',
  '"/a/b"',
  '"a\\nb"',
  '"$${a}"',
  '"a\\${b}\\t"',
  '"\\"q\\""',
  "''\n  a\n    b\n''",
  "''a''${\"b\"}c''",
  "''x ''$ ''' ''\\n''",
  '"sha256"',
  '"a.b.c"',
  '"12"',
  '"name"',
];
const PATHS = ["/a", "/a/b", "/a/b/c", "./hello.txt", "./.", "../x", "./dir", "./nope", "/a/../b", "./dir/default.nix"];
const LISTS = [
  "[ ]",
  "[ 1 2 3 ]",
  '[ "a" "b" ]',
  "[ [ 1 ] [ 2 ] ]",
  '[ { name = "a"; value = 1; } ]',
  "[ 3 1 2 ]",
  "[ 1 2.0 ]",
  "[ null true ]",
  '[ "b" "a" "c" "a" ]',
];
const SETS = [
  "{ }",
  "{ a = 1; }",
  '{ a = 1; b = "x"; }',
  "{ a.b = 1; }",
  "{ b = 2; c = { }; }",
  '{ a = { b = [ 1 ]; }; "x y" = 2; }',
  '{ __toString = self: "s"; }',
  '{ outPath = "/o"; }',
  "{ __functor = self: x: x; a = 1; }",
  '{ type = "derivation"; name = "n"; }',
  '{ name = "n"; value = 2; }',
];
const FUNS = [
  "(x: x)",
  "(x: [ x ])",
  "(x: { a = x; })",
  "(x: y: x)",
  "({ a ? 1, ... }: a)",
  "(args@{ a, b ? a, ... }: args // { inherit b; })",
  "builtins.toString",
  "(builtins.add 1)",
  "(builtins.map (x: x))",
  "{ __functor = self: x: self.a or x; }",
  "import",
  "throw",
];
const DERIVATIONS = [
  '(derivation { name = "d"; system = "s"; builder = "/b"; })',
  '(derivation { name = "d"; system = "s"; builder = "/b"; outputs = [ "out" "dev" ]; })',
  '(derivation { name = "f"; system = "s"; builder = "/b"; outputHash = "d6a2a3d4c0b0e3f0a1f0b7a4c3a1b0d4f6c1e7a1b2c3d4e5f60718293a4b5c6d"; outputHashAlgo = "sha256"; })',
];
const NAMES = ["a", "b", "c", "x", "name", "value", '"x y"', "or", '"a"', '${"a"}', '${"b"}', "d.e", 'a."b"'];
const SIMPLE_NAMES = ["a", "b", "c", "x", "foo", "name"];

/** Builtins of one to three arguments by what they take, with what they give: `name: argument types`. */
const BUILTINS = {
  int: {
    length: ["list"],
    stringLength: ["string"],
    add: ["int", "int"],
    sub: ["int", "int"],
    mul: ["int", "int"],
    div: ["int", "int"],
    bitAnd: ["int", "int"],
    bitOr: ["int", "int"],
    bitXor: ["int", "int"],
    ceil: ["number"],
    floor: ["number"],
    compareVersions: ["string", "string"],
    head: ["list"],
    elemAt: ["list", "int"],
    fromJSON: ["jsonText"],
  },
  float: { add: ["float", "number"], sub: ["float", "number"], mul: ["number", "float"], div: ["float", "number"] },
  string: {
    toString: ["any"],
    toJSON: ["any"],
    toXML: ["any"],
    substring: ["int", "int", "string"],
    concatStringsSep: ["string", "list"],
    replaceStrings: ["list", "list", "string"],
    typeOf: ["any"],
    baseNameOf: ["string"],
    dirOf: ["string"],
    unsafeDiscardStringContext: ["string"],
    unsafeDiscardOutputDependency: ["string"],
    addDrvOutputDependencies: ["string"],
    hashString: ["algorithm", "string"],
    convertHash: ["attrs"],
    readFile: ["path"],
    readFileType: ["path"],
    toFile: ["string", "string"],
    placeholder: ["string"],
    getEnv: ["string"],
    toPath: ["path"],
    hashFile: ["algorithm", "path"],
    flakeRefToString: ["attrs"],
  },
  bool: {
    isInt: ["any"],
    isFloat: ["any"],
    isString: ["any"],
    isList: ["any"],
    isAttrs: ["any"],
    isFunction: ["any"],
    isPath: ["any"],
    isNull: ["any"],
    isBool: ["any"],
    lessThan: ["number", "number"],
    elem: ["any", "list"],
    all: ["predicate", "list"],
    any: ["predicate", "list"],
    hasAttr: ["string", "attrs"],
    hasContext: ["string"],
    pathExists: ["path"],
  },
  path: { dirOf: ["path"], path: ["attrs"], filterSource: ["fun2", "path"], findFile: ["list", "string"] },
  list: {
    map: ["mapper", "list"],
    filter: ["predicate", "list"],
    genList: ["mapper", "smallInt"],
    concatMap: ["listMapper", "list"],
    concatLists: ["list"],
    sort: ["order", "list"],
    tail: ["list"],
    attrNames: ["attrs"],
    attrValues: ["attrs"],
    catAttrs: ["string", "list"],
    splitVersion: ["string"],
    split: ["regex", "string"],
    match: ["regex", "string"],
    genericClosure: ["closure"],
  },
  attrs: {
    mapAttrs: ["fun2", "attrs"],
    removeAttrs: ["attrs", "list"],
    intersectAttrs: ["attrs", "attrs"],
    listToAttrs: ["list"],
    tryEval: ["any"],
    parseDrvName: ["string"],
    partition: ["predicate", "list"],
    groupBy: ["stringMapper", "list"],
    zipAttrsWith: ["fun2", "list"],
    functionArgs: ["fun"],
    getContext: ["string"],
    readDir: ["path"],
    fromTOML: ["tomlText"],
    parseFlakeRef: ["string"],
    unsafeGetAttrPos: ["string", "attrs"],
    derivationStrict: ["attrs"],
    import: ["path"],
  },
  any: {
    getAttr: ["string", "attrs"],
    seq: ["any", "any"],
    deepSeq: ["any", "any"],
    trace: ["any", "any"],
    addErrorContext: ["string", "any"],
    warn: ["string", "any"],
    "foldl'": ["fun2", "any", "list"],
    scopedImport: ["attrs", "path"],
    appendContext: ["string", "attrs"],
    traceVerbose: ["any", "any"],
    abort: ["string"],
    throw: ["string"],
  },
};

const JSON_PIECES =
  '{ } [ ] , : "a" "b" 1 -2 1.5 1e3 0 01 true false null tru "\\u0041" "\\ud83d" "\\x" " é \n - . 1e400 -0 1E+2'
    .split(" ")
    .concat([" "]);
const TOML_LINES = [
  "a = 1",
  "b = 'x'",
  'c = "y"',
  "a.b = 2",
  "[t]",
  "[t.u]",
  "[[l]]",
  "[[l.m]]",
  "d = [1, 2]",
  "e = {x = 1}",
  "e2 = {x.y = 1, z = [ ]}",
  "f = 1.5",
  "f2 = 1e3",
  "f3 = inf",
  "g = true",
  "a = [",
  "= 1",
  "h = 1979-05-27",
  "h2 = 07:32:00",
  "i = '''x'''",
  "[a]",
  "[a.b]",
  "j = 0x1F",
  "k = 1_0",
  "l = 1__0",
  'm = "\\q"',
  'm2 = "\\u00e9\\U0001F600"',
  'm3 = """\nx\\\n  y"""',
  "n",
  "o = +",
  "# c",
  "",
  "  p = 1  # c",
  '"q r" = 1',
  "'s'.t = 1",
  "u = 0b11",
  "v = 1.",
  "w = [1, 'a', 2.0]",
  "z = 99999999999999999999",
];
const REGEX_PIECES =
  "a b c . * + ? | ( ) [ab] [^a] {2} {1,2} {,2} {2,1} ^ $ [[:alpha:]] [[:space:]] [a-c] [b-a] \\. \\d [ ] [] (a|b)* () (a*)* [-a] [a-] [^]a] (ab|a) (bc|c)? [[.a.]] \\( x{0}".split(
    " ",
  );
const quote = (text) =>
  `"${text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("${", "\\${")}"`;

const LEAVES = {
  int: INTS,
  float: FLOATS,
  string: STRINGS,
  bool: ["true", "false"],
  null: ["null"],
  path: PATHS,
  list: LISTS,
  attrs: SETS,
  fun: FUNS,
  drv: DERIVATIONS,
};
const TYPES = Object.keys(LEAVES);

export function makeGrammar(seed) {
  const random = makeRandom(seed);
  const pick = (items) => items[random(items.length)];
  const some = (pieces, most) => Array.from({ length: random(most) }, () => pick(pieces)).join("");
  /** Variables in scope: names by type; names that hold anything are under "any". */
  let scope = [];

  const bind = (names, make) => {
    const before = scope;
    scope = [...scope, ...names];
    try {
      return make();
    } finally {
      scope = before;
    }
  };

  /** Arguments of builtins that are more than a type. */
  const special = {
    number: (d) => gen(pick(["int", "float"]), d),
    smallInt: () => [pick(["0", "1", "3", "5", "(-1)"])],
    algorithm: () => [pick(['"md5"', '"sha256"', '"sha1"', '"sha512"', '"foo"'])],
    predicate: (d) => lambda("bool", d),
    mapper: (d) => lambda("any", d),
    listMapper: (d) => lambda("list", d),
    stringMapper: (d) => lambda("string", d),
    fun2: (d) =>
      pick([() => ["(n: v: ", bind(["n", "v"], () => gen("any", d)), ")"], () => ["(n: v: v)"], () => gen("fun", d)])(),
    order: (d) =>
      pick([
        () => ["builtins.lessThan"],
        () => ["(p: q: p < q)"],
        () => ["(p: q: ", bind(["p", "q"], () => gen("bool", d)), ")"],
      ])(),
    regex: () => [quote(some(REGEX_PIECES, 6))],
    jsonText: () => [quote(some(JSON_PIECES, 9))],
    tomlText: () => [quote(Array.from({ length: 1 + random(4) }, () => pick(TOML_LINES)).join("\n"))],
    closure: (d) => [
      "{ startSet = ",
      pick([() => ["[ { key = ", gen("any", d), "; } { key = ", gen("any", d), "; } ]"], () => gen("list", d)])(),
      "; operator = ",
      pick([
        ["x: [ ]"],
        ["x: if x.key < 3 then [ { key = x.key + 1; } ] else [ ]"],
        ["x: [ { key = ", gen("any", d), "; } ]"],
      ]),
      "; }",
    ],
  };

  const lambda = (type, d) =>
    pick([
      () => ["(v: ", bind(["v"], () => gen(type, d)), ")"],
      () => ["(v: v)"],
      () => ["({ a ? ", gen("any", d), ", ... }@v: ", bind(["a", "v"], () => gen(type, d)), ")"],
      () => ["({ a, b ? 2 }: ", bind(["a", "b"], () => gen(type, d)), ")"],
      () => gen("fun", d),
    ])();

  const callBuiltin = (type, d) => {
    const table = BUILTINS[type];
    const name = pick(Object.keys(table));
    const args = table[name].flatMap((wanted) => [" ", special[wanted]?.(d) ?? gen(wanted, d)]);
    return ["(builtins.", name, ...args, ")"];
  };

  const binding = (d) =>
    pick([
      () => [pick(NAMES), " = ", gen("any", d), "; "],
      () => [pick(NAMES), " = ", gen("any", d), "; "],
      () => ["inherit ", pick(["a", "b", "x", '"c"']), "; "],
      () => ["inherit (", gen("attrs", d), ") ", pick(["a", "b", "a b"]), "; "],
      () => ["${", gen("any", d), "} = ", gen("any", d), "; "],
      () => [pick(SIMPLE_NAMES), ".", pick(SIMPLE_NAMES), " = ", gen("any", d), "; "],
    ])();
  const bindings = (d) => Array.from({ length: random(4) }, () => binding(d));
  const formals = (d) => {
    const names = SIMPLE_NAMES.slice(0, 1 + random(3));
    const parts = bind(names, () =>
      names.map((name) => pick([() => [name], () => [name, " ? ", gen("any", d)], () => [name]])()),
    );
    const ellipsis = pick([[], ["..."]]);
    const at = pick(["", "", "@all"]);
    return {
      head: ["{ ", [...parts, ...ellipsis].flatMap((part, i) => (i === 0 ? [part] : [", ", part])), " }", at],
      names,
    };
  };
  const binary = (d, left, operators, right = left) => [
    "(",
    gen(left, d),
    " ",
    pick(operators),
    " ",
    gen(right, d),
    ")",
  ];
  const number = () => pick(["int", "int", "float"]);

  const grow = {
    int: [(d) => binary(d, "int", ["+", "-", "*", "/"]), (d) => ["(-", gen("int", d), ")"]],
    float: [
      (d) => binary(d, "float", ["+", "-", "*", "/"], number()),
      (d) => binary(d, number(), ["+", "-", "*", "/"], "float"),
    ],
    string: [
      (d) => binary(d, "string", ["+"]),
      (d) => binary(d, "string", ["+"], pick(["path", "drv", "any"])),
      (d) => ['"${', gen(pick(["string", "string", "path", "drv", "any"]), d), '}"'],
      (d) => ['"a${', gen("string", d), "}b${", gen("string", d), '}"'],
      (d) => ["''\n  x ${", gen("string", d), "}\n    y\n''"],
      (d) => ["(", gen("drv", d), ".", pick(["outPath", "drvPath", "name", "dev", "all"]), ")"],
    ],
    bool: [
      (d) => binary(d, "any", ["==", "!="]),
      (d) => binary(d, pick(["list", "attrs"]), ["==", "!="]),
      (d) => binary(d, pick(["int", "float", "string", "list", "path"]), ["<", "<=", ">", ">="]),
      (d) => binary(d, "bool", ["&&", "||", "->"]),
      (d) => ["(!", gen("bool", d), ")"],
      (d) => ["(", gen("attrs", d), " ? ", pick(["a", "b", "a.b", '"c"', '${"a"}', "a.b.c"]), ")"],
    ],
    null: [],
    path: [
      (d) => ["(", gen("path", d), " + ", gen(pick(["string", "path"]), d), ")"],
      (d) => ["(./. + ", gen("string", d), ")"],
    ],
    list: [
      (d) => ["[ ", gen("any", d), " ", gen("any", d), " ]"],
      (d) => ["[ ", gen("any", d), " ]"],
      (d) => binary(d, "list", ["++"]),
    ],
    attrs: [
      (d) => ["{ ", bindings(d), "}"],
      (d) => ["{ ", bindings(d), "}"],
      (d) => bind(["a", "b"], () => ["rec { a = ", gen("any", d), "; b = ", gen("any", d), "; ", bindings(d), "}"]),
      (d) => binary(d, "attrs", ["//"]),
      (d) => ["(let { body = ", bind(["a"], () => gen("attrs", d)), "; a = ", gen("any", d), "; })"],
    ],
    fun: [
      (d) => ["(x: ", bind(["x"], () => gen("any", d)), ")"],
      (d) => {
        const { head, names } = formals(d);
        return ["(", head, ": ", bind(names, () => gen("any", d)), ")"];
      },
      (d) => ["{ __functor = self: ", gen("fun", d), "; }"],
    ],
    drv: [
      (d) => [
        '(derivation { name = "g"; system = "s"; builder = ',
        gen(pick(["string", "drv", "path"]), d),
        "; ",
        pick(["foo", "args", "outputs", "__structuredAttrs", "passAsFile", "__ignoreNulls", "env"]),
        " = ",
        gen("any", d),
        "; })",
      ],
    ],
  };

  const anywhere = [
    (type, d) => ["(if ", gen("bool", d), " then ", gen(type, d), " else ", gen(type, d), ")"],
    (type, d) =>
      bind(["x", "y"], () => [
        "(let x = ",
        gen("any", d),
        "; y = ",
        gen(type, d),
        "; in ",
        pick(["y", "builtins.seq x y"]),
        ")",
      ]),
    (type, d) => ["(let inherit (", gen("attrs", d), ") a; in ", bind(["a"], () => gen(type, d)), ")"],
    (type, d) => ["(with ", gen("attrs", d), "; ", bind(["a"], () => gen(type, d)), ")"],
    (type, d) => ["((x: ", bind(["x"], () => gen(type, d)), ") ", gen("any", d), ")"],
    (type, d) => ["(assert ", gen("bool", d), "; ", gen(type, d), ")"],
    (type, d) => {
      const { head, names } = formals(d);
      return ["((", head, ": ", bind(names, () => gen(type, d)), ") ", gen("attrs", d), ")"];
    },
    () => ["(throw ", pick(STRINGS), ")"],
    (type, d) => ["({ a = ", gen(type, d), "; }.", pick(["a", "a", "b", "a.b", '${"a"}']), ")"],
    (type, d) => ["(", gen("attrs", d), ".", pick(["a", "b", "a.b", "c"]), " or ", gen(type, d), ")"],
    (type, d) => ["(", gen("fun", d), " ", gen("any", d), ")"],
    (type, d) => ["(", gen("any", d), " ", gen("any", d), ")"],
    (type, d) => ["(", gen("attrs", d), ".", pick(["a", "b", "a.b", "x", "name"]), ")"],
    (type, d) => callBuiltin("any", d),
    (type, d) => [
      "(let f = n: if n <= 0 then ",
      gen(type, d),
      " else f (n - 1); in f ",
      pick(["0", "3", gen("int", d)]),
      ")",
    ],
    (type, d) => ["/* c */ ", gen(type, d), " # d\n"],
    (type, d) => ["(builtins.head [ ", gen(type, d), " ])"],
    (type, d) => ["(builtins.tryEval ", gen(type, d), ").value"],
  ];

  /** An expression, usually of the wanted type. */
  function gen(wanted, depth) {
    const type = wanted === "any" || random(25) === 0 ? pick(TYPES) : wanted;
    if (scope.length > 0 && random(6) === 0) return [pick(scope)];
    if (depth <= 0) return [pick(LEAVES[type])];
    const kind = random(10);
    if (kind < 2) return [pick(LEAVES[type])];
    if (kind < 4) return pick(anywhere)(type, depth - 1);
    if (kind < 7 && BUILTINS[type] !== undefined) return callBuiltin(type, depth - 1);
    const choices = grow[type];
    return choices.length === 0 ? [pick(LEAVES[type])] : pick(choices)(depth - 1);
  }

  /** Texts of the syntax: tokens in any order. */
  const TOKENS =
    "a b x 1 2.5 \"s\" ''t'' ./p <n> ( ) [ ] { } = ; : , . ... @ ? ++ + - * / // == != < > <= >= && || -> ! let in if then else with assert rec inherit or ${ |> <| \" '' # /* */ ~/x h:u é"
      .split(" ")
      .concat(["\n", " "]);
  const flagSets = [
    ["--eval", "--strict"],
    ["--eval", "--strict"],
    ["--eval", "--strict", "--show-trace"],
    ["--eval", "--strict", "--show-trace"],
    ["--eval"],
    ["--eval", "--strict", "--xml"],
    ["--eval", "--strict", "--xml", "--no-location"],
    ["--eval", "--xml"],
    ["--eval", "--strict", "--json"],
    ["--eval", "--raw"],
    ["--parse"],
    ["--eval", "--strict", "--trace-verbose"],
    ["--eval", "--strict", "--option", "pure-eval", "true"],
    ["--eval", "--strict", "--restrict-eval"],
  ];

  /** The next case: an expression and the flags it is evaluated with. */
  return function next() {
    scope = [];
    switch (random(12)) {
      case 0:
        return { tree: Array.from({ length: 1 + random(9) }, () => [pick(TOKENS), " "]), flags: ["--parse"] };
      case 1:
        return { tree: ["builtins.fromTOML ", special.tomlText()], flags: ["--eval", "--strict"] };
      case 2:
        return {
          tree: ["builtins.match ", special.regex(), " ", [quote(some(["a", "b", "c", "."], 8))]],
          flags: ["--eval", "--strict"],
        };
      case 3:
        return {
          tree: ["builtins.split ", special.regex(), " ", [quote(some(["a", "b", "c", " "], 8))]],
          flags: ["--eval", "--strict"],
        };
      case 4:
        return {
          tree: pick([
            () => ["builtins.fromJSON ", special.jsonText()],
            () => ["builtins.fromJSON ", [quote(`{"a":${some(JSON_PIECES, 4)},"b":[${some(JSON_PIECES, 5)}]}`)]],
          ])(),
          flags: ["--eval", "--strict"],
        };
      case 5: {
        const name = pick(Object.keys(BUILTINS));
        return { tree: callBuiltin(name, 1), flags: pick(flagSets) };
      }
      default:
        return { tree: gen("any", 2 + random(3)), flags: pick(flagSets) };
    }
  };
}
