# Functions about nothing in particular: identity, booleans, numbers, warnings, function arguments.
{ lib }:
let
  inherit (builtins)
    bitAnd
    bitOr
    bitXor
    functionArgs
    isAttrs
    isInt
    length
    ;

  hexDigits = {
    "10" = "A";
    "11" = "B";
    "12" = "C";
    "13" = "D";
    "14" = "E";
    "15" = "F";
  };
in
rec {
  id = x: x;
  const = x: _: x;
  pipe = builtins.foldl' (value: f: f value);
  concat = a: b: a ++ b;
  flip =
    f: a: b:
    f b a;
  mergeAttrs = a: b: a // b;
  mapNullable = f: a: if a == null then null else f a;
  defaultTo = default: a: if a == null then default else a;

  or = a: b: a || b;
  and = a: b: a && b;
  xor = a: b: a != b;
  boolToString = b: if b then "true" else "false";
  boolToYesNo = b: if b then "yes" else "no";

  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  # The remainder has the sign of the dividend, as integer division truncates towards zero.
  mod = base: int: base - (int * (builtins.div base int));
  compare =
    a: b:
    if a < b then
      -1
    else if a > b then
      1
    else
      0;
  # Orders values of which some satisfy `isFirst`: those come before the others, each part by its own comparison.
  splitByAndCompare =
    isFirst: compareFirst: compareOthers: a: b:
    if isFirst a then
      (if isFirst b then compareFirst a b else -1)
    else if isFirst b then
      1
    else
      compareOthers a b;

  toHexString =
    n:
    let
      digit = d: hexDigits.${toString d} or (toString d);
    in
    lib.concatMapStrings digit (toBaseDigits 16 n);

  # Digits of a natural number, most significant first.
  toBaseDigits =
    base: number:
    let
      go = n: if n < base then [ n ] else go (n / base) ++ [ (mod n base) ];
    in
    assert isInt base && isInt number && base >= 2 && number >= 0;
    go number;

  fromHexString =
    text:
    let
      digits = lib.removePrefix "0x" (lib.toLower text);
    in
    if builtins.match "[0-9a-f]+" digits == null then
      throw "fromHexString: `${text}' is not a hexadecimal number"
    else
      (builtins.fromTOML "n=0x${digits}").n;

  importJSON = path: builtins.fromJSON (builtins.readFile path);
  importTOML = path: builtins.fromTOML (builtins.readFile path);

  # A function with attributes of its own: callable, and telling its formals to `functionArgs`.
  setFunctionArgs = f: args: {
    __functor = _: f;
    __functionArgs = args;
  };
  functionArgs = f: if f ? __functor then f.__functionArgs or (functionArgs (f.__functor f)) else builtins.functionArgs f;
  isFunction = f: builtins.isFunction f || (isAttrs f && f ? __functor && isFunction (f.__functor f));
  mirrorFunctionArgs =
    f:
    let
      args = functionArgs f;
    in
    g: setFunctionArgs g args;
  toFunction = v: if isFunction v then v else _: v;

  warn = builtins.warn;
  warnIf = cond: message: if cond then warn message else x: x;
  warnIfNot = cond: message: if cond then x: x else warn message;
  throwIf = cond: message: if cond then throw message else x: x;
  throwIfNot = cond: message: if cond then x: x else throw message;
  info = message: builtins.trace "info: ${message}";
  showWarnings = warnings: result: builtins.foldl' (x: warning: warn warning x) result warnings;

  checkListOfEnum =
    message: valid: given:
    let
      unexpected = lib.subtractLists valid given;
    in
    throwIfNot (unexpected == [ ])
      "${message}: ${lib.concatMapStringsSep ", " toString unexpected} unexpected; valid ones: ${lib.concatMapStringsSep ", " toString valid}";

  release = "26.05";
  codeName = "Terrarium";
  versionSuffix = ".terrarium";
  version = release + versionSuffix;
  trivialVersion = release;
  revisionWithDefault = default: default;
  oldestSupportedRelease = 2511;
  isInOldestRelease = oldestSupportedReleaseIsAtLeast;
  oldestSupportedReleaseIsAtLeast = number: number <= oldestSupportedRelease;
  inNixShell = builtins.getEnv "IN_NIX_SHELL" != "";
  inPureEvalMode = !(builtins ? currentSystem);

  inherit bitAnd bitOr bitXor;
  bitNot = n: -1 - n;
  inherit (builtins)
    seq
    deepSeq
    genericClosure
    lessThan
    add
    sub
    pathExists
    readFile
    isBool
    isInt
    isFloat
    ;

  # Walks two lists together: the first difference decides, then the length.
  compareLists =
    cmp: a: b:
    if a == [ ] then
      (if b == [ ] then 0 else -1)
    else if b == [ ] then
      1
    else
      let
        order = cmp (builtins.head a) (builtins.head b);
      in
      if order == 0 then compareLists cmp (builtins.tail a) (builtins.tail b) else order;

  isPow2 = n: isInt n && n > 0 && bitAnd n (n - 1) == 0;
  sum = builtins.foldl' builtins.add 0;
  count = pred: list: length (builtins.filter pred list);
}
