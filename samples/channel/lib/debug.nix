# Looking at values while they are computed, and a small test runner.
{ lib }:
let
  inherit (builtins) deepSeq trace;
in
rec {
  traceIf = cond: message: value: if cond then trace message value else value;
  traceValFn = f: value: trace (f value) value;
  traceVal = traceValFn (value: value);
  traceSeq = message: value: trace (deepSeq message message) value;
  traceSeqN =
    depth: message: value:
    let
      cut =
        n: v:
        if builtins.isList v then
          if n == 0 then "[…]" else map (cut (n - 1)) v
        else if builtins.isAttrs v && !lib.isDerivation v then
          if n == 0 then "{…}" else builtins.mapAttrs (_: cut (n - 1)) v
        else
          v;
      shown = cut depth message;
    in
    trace (deepSeq shown shown) value;
  traceValSeqFn = f: value: traceValFn f (deepSeq value value);
  traceValSeq = traceValSeqFn (value: value);
  traceValSeqNFn = f: depth: value: traceSeqN depth (f value) value;
  traceValSeqN = traceValSeqNFn (value: value);
  traceFnSeqN =
    depth: name: f: value:
    let
      result = f value;
    in
    traceSeqN depth {
      fn = name;
      from = value;
      to = result;
    } result;

  # Every attribute named `test…` is `{ expr; expected; }` (or `expectedError`); the failing ones are returned.
  runTests =
    tests:
    let
      names = tests.tests or (builtins.filter (lib.hasPrefix "test") (builtins.attrNames tests));
      run =
        name:
        let
          test = tests.${name};
        in
        lib.optional (test.expr != test.expected) {
          inherit name;
          inherit (test) expected;
          result = test.expr;
        };
    in
    lib.concatMap run names;
  testAllTrue = expr: {
    inherit expr;
    expected = map (_: true) expr;
  };
}
