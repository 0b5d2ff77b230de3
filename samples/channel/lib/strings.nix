# Strings: joining, splitting, escaping, testing, converting. A string is bytes: lengths and positions count bytes.
{ lib }:
let
  inherit (builtins)
    concatStringsSep
    elem
    elemAt
    filter
    genList
    head
    isAttrs
    isInt
    isList
    isPath
    isString
    length
    match
    replaceStrings
    split
    stringLength
    substring
    tail
    toJSON
    typeOf
    ;

  lower = stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  upper = stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  stringToCharacters = text: genList (n: substring n 1 text) (stringLength text);

  keywords = [
    "assert"
    "else"
    "if"
    "in"
    "inherit"
    "let"
    "or"
    "rec"
    "then"
    "with"
  ];
in
rec {
  inherit
    concatStringsSep
    replaceStrings
    stringLength
    stringToCharacters
    substring
    typeOf
    ;
  inherit (builtins)
    compareVersions
    fromJSON
    fromTOML
    hashString
    isString
    readFile
    storeDir
    toJSON
    unsafeDiscardStringContext
    ;

  concatStrings = concatStringsSep "";
  concatMapStrings = f: list: concatStrings (map f list);
  concatImapStrings = f: list: concatStrings (lib.imap1 f list);
  concatMapStringsSep =
    sep: f: list:
    concatStringsSep sep (map f list);
  concatImapStringsSep =
    sep: f: list:
    concatStringsSep sep (lib.imap1 f list);
  concatMapAttrsStringSep =
    sep: f: set:
    concatStringsSep sep (lib.mapAttrsToList f set);
  concatLines = concatMapStrings (line: line + "\n");
  join = concatStringsSep;
  intersperse =
    separator: list:
    if list == [ ] || length list == 1 then list else tail (builtins.concatMap (x: [ separator x ]) list);
  replicate = n: text: concatStrings (genList (_: text) n);

  trim = trimWith {
    start = true;
    end = true;
  };
  trimWith =
    {
      start ? false,
      end ? false,
    }:
    text:
    let
      blank = " \t\r\n";
      size = stringLength text;
      isBlank = n: lib.hasInfix (substring n 1 text) blank;
      from = n: if n < size && isBlank n then from (n + 1) else n;
      to = n: if n > 0 && isBlank (n - 1) then to (n - 1) else n;
      first = if start then from 0 else 0;
      last = if end then to size else size;
    in
    if first >= last then "" else substring first (last - first) text;

  makeSearchPath = subDir: paths: concatMapStringsSep ":" (path: "${path}/${subDir}") (filter (x: x != null) paths);
  makeSearchPathOutput =
    output: subDir: pkgs:
    makeSearchPath subDir (map (lib.getOutput output) pkgs);
  makeLibraryPath = makeSearchPathOutput "lib" "lib";
  makeIncludePath = makeSearchPathOutput "dev" "include";
  makeBinPath = makeSearchPathOutput "bin" "bin";
  normalizePath = text: concatStringsSep "/" (collapse (lib.splitString "/" text));
  collapse =
    parts:
    # Keeps a leading and a trailing empty part: they are the slashes at the ends.
    lib.concatLists (lib.imap0 (n: part: if part == "" && n != 0 && n != length parts - 1 then [ ] else [ part ]) parts);

  optionalString = cond: text: if cond then text else "";

  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      size = stringLength text;
      sizeOfSuffix = stringLength suffix;
    in
    size >= sizeOfSuffix && substring (size - sizeOfSuffix) sizeOfSuffix text == suffix;
  hasInfix =
    infix: text: infix == "" || replaceStrings [ infix ] [ "" ] (discard text) != discard text;
  discard = builtins.unsafeDiscardStringContext;
  removePrefix = prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  removeSuffix =
    suffix: text: if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
  commonPrefixLength =
    a: b:
    let
      bound = lib.min (stringLength a) (stringLength b);
      go = n: if n >= bound || substring n 1 a != substring n 1 b then n else go (n + 1);
    in
    go 0;
  commonSuffixLength =
    a: b:
    let
      sizeA = stringLength a;
      sizeB = stringLength b;
      bound = lib.min sizeA sizeB;
      go = n: if n >= bound || substring (sizeA - n - 1) 1 a != substring (sizeB - n - 1) 1 b then n else go (n + 1);
    in
    go 0;

  # The number of a byte. Nix has no such function: bytes up to 127 come from a table, the others are found as parts of
  # characters whose encoding is known.
  charToInt =
    let
      ascii = builtins.fromJSON (builtins.readFile ./ascii.json);
      character = units: builtins.fromJSON "\"${concatMapStrings (unit: "\\u${lib.fixedWidthString 4 "0" (lib.toHexString unit)}") units}\"";
      pair = name: value: { inherit name value; };
      first = value: units: pair (substring 0 1 (character units)) value;
      following = genList (n: pair (substring 1 1 (character [ (128 + n) ])) (128 + n)) 64;
      two = genList (n: first (194 + n) [ (128 + 64 * n) ]) 30;
      three = genList (n: first (224 + n) [ (if n == 0 then 2048 else 4096 * n) ]) 16;
      four = lib.imap0 (n: high: first (240 + n) [ high 56320 ]) [ 55296 55488 55744 56000 56256 ];
      table = ascii // builtins.listToAttrs (following ++ two ++ three ++ four);
    in
    char: table.${char} or (throw "charToInt: no number is known for this character");
  escape = chars: replaceStrings chars (map (c: "\\${c}") chars);
  escapeC =
    chars:
    replaceStrings chars (
      map (c: "\\x${lib.fixedWidthString 2 "0" (lib.toLower (lib.toHexString (charToInt c)))}") chars
    );
  escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
  escapeURL =
    let
      kept = stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
      percent = char: if elem char kept then char else "%${lib.fixedWidthString 2 "0" (lib.toHexString (charToInt char))}";
    in
    concatMapStrings' percent;
  concatMapStrings' = f: text: concatMapStrings f (stringToCharacters text);
  escapeQuery = escapeURL;
  escapeShellArg =
    value:
    let
      text = toString value;
    in
    if match "[[:alnum:],._+:@%/-]+" text != null then text else "'${replaceStrings [ "'" ] [ "'\\''" ] text}'";
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  isValidPosixName = name: match "[a-zA-Z_][a-zA-Z0-9_]*" name != null;
  toShellVar =
    name: value:
    assert lib.assertMsg (isValidPosixName name) "toShellVar: `${name}' is not a name of a shell variable";
    if isAttrs value && !isStringLike value then
      "declare -A ${name}=(${concatStringsSep " " (lib.mapAttrsToList (n: v: "[${escapeShellArg n}]=${escapeShellArg v}") value)})"
    else if isList value then
      "declare -a ${name}=(${escapeShellArgs value})"
    else
      "${name}=${escapeShellArg value}";
  toShellVars = vars: concatStringsSep "\n" (lib.mapAttrsToList toShellVar vars);
  escapeNixString = text: escape [ "$" ] (toJSON text);
  isValidNixIdentifier = text: match "[a-zA-Z_][a-zA-Z0-9_'-]*" text != null && !elem text keywords;
  escapeNixIdentifier = text: if isValidNixIdentifier text then text else escapeNixString text;
  escapeXML = replaceStrings [ "\"" "'" "<" ">" "&" ] [ "&quot;" "&apos;" "&lt;" "&gt;" "&amp;" ];

  toLower = replaceStrings upper lower;
  toUpper = replaceStrings lower upper;
  toSentenceCase = text: toUpper (substring 0 1 text) + toLower (substring 1 (-1) text);
  toCamelCase =
    text:
    let
      words = filter (w: isString w && w != "") (split "[^[:alnum:]]+" text);
      capital = word: toUpper (substring 0 1 word) + substring 1 (-1) word;
      first = head words;
    in
    if words == [ ] then
      ""
    else
      toLower (substring 0 1 first) + substring 1 (-1) first + concatMapStrings capital (tail words);

  # "a.b" split at "." gives [ "a" "b" ]; the context of the text stays with every part.
  splitString =
    sep: text:
    let
      parts = filter isString (split (escapeRegex (toString sep)) (toString text));
    in
    map (lib.addContextFrom text) parts;
  addContextFrom = source: target: substring 0 0 source + target;
  splitStringBy =
    pred: keep: text:
    let
      chars = stringToCharacters text;
      step =
        acc: char:
        let
          cut = pred acc.previous char;
        in
        {
          previous = char;
          word = if cut then (if keep then char else "") else acc.word + char;
          words = if cut then acc.words ++ [ acc.word ] else acc.words;
        };
      end = builtins.foldl' step {
        previous = "";
        word = "";
        words = [ ];
      } chars;
    in
    end.words ++ [ end.word ];

  sanitizeDerivationName =
    let
      allowed = "[[:alnum:]+._?=-]";
    in
    text:
    let
      plain = discard (toString text);
      shortEnough = stringLength plain <= 207;
      cleaned = concatMapStrings (part: if isList part then "-" else part) (split "[^[:alnum:]+._?=-]+" (removeDots plain));
      removeDots = t: head (match "\\.*(.*)" t);
      tail' = substring (lib.max (stringLength cleaned - 207) 0) (-1) cleaned;
    in
    if shortEnough && match "${allowed}+" plain != null && !hasPrefix "." plain then
      plain
    else if tail' == "" then
      "unknown"
    else
      tail';

  fixedWidthString =
    width: filler: text:
    let
      missing = width - stringLength text;
    in
    assert lib.assertMsg (missing >= 0) "fixedWidthString: `${text}' is longer than ${toString width}";
    lib.strings.replicate missing filler + text;
  fixedWidthNumber = width: n: fixedWidthString width "0" (toString n);
  floatToString = toString;

  isConvertibleWithToString =
    x:
    x == null
    || elem (typeOf x) [
      "path"
      "string"
      "int"
      "float"
      "bool"
    ]
    || (isList x && lib.all isConvertibleWithToString x)
    || isStringLike x;
  isCoercibleToString = isConvertibleWithToString;
  isStringLike = x: isString x || isPath x || (isAttrs x && (x ? outPath || x ? __toString));
  isSimpleStorePath = x: isStorePath x && dirOf (toString x) == builtins.storeDir;
  isStorePath =
    x:
    isStringLike x
    && (
      let
        text = discard (toString x);
      in
      substring 0 1 text == "/" && dirOf text == builtins.storeDir
    );

  toInt =
    text:
    let
      digits = match "[[:space:]]*(-?[[:digit:]]+)[[:space:]]*" text;
      zero = match "[[:space:]]*-?0[[:digit:]]+[[:space:]]*" text;
    in
    if digits == null then
      throw "toInt: `${text}' is not a whole number"
    else if zero != null then
      throw "toInt: `${text}' starts with a zero: octal or decimal? Use toIntBase10 for decimal"
    else
      builtins.fromJSON (head digits);
  toIntBase10 =
    text:
    let
      parts = match "[[:space:]]*(-?)0*([[:digit:]]+)[[:space:]]*" text;
    in
    if parts == null then
      throw "toIntBase10: `${text}' is not a whole number"
    else
      builtins.fromJSON (head parts + elemAt parts 1);

  readPathsFromFile =
    root: file: map (line: root + "/${line}") (filter (line: line != "" && !hasPrefix "#" line) (splitString "\n" (builtins.readFile file)));
  fileContents = file: removeSuffix "\n" (builtins.readFile file);
  versionOlder = a: b: builtins.compareVersions b a == 1;
  versionAtLeast = a: b: !versionOlder a b;
  getName =
    x: if isString x then (builtins.parseDrvName x).name else x.pname or (builtins.parseDrvName x.name).name;
  getVersion =
    x: if isString x then (builtins.parseDrvName x).version else x.version or (builtins.parseDrvName x.name).version;
  nameFromURL =
    url: sep:
    let
      file = lib.last (splitString "/" url);
      name = head (splitString sep file);
    in
    assert lib.assertMsg (name != file) "nameFromURL: the separator does not occur in the file name";
    name;
  enableFeature = on: name: "--${if on then "enable" else "disable"}-${name}";
  enableFeatureAs = on: name: value: if on then "${enableFeature on name}=${value}" else enableFeature on name;
  withFeature = on: name: "--${if on then "with" else "without"}-${name}";
  withFeatureAs = on: name: value: if on then "${withFeature on name}=${value}" else withFeature on name;
  cmakeOptionType =
    type: name: value:
    "-D${name}:${type}=${value}";
  cmakeBool = name: on: cmakeOptionType "BOOL" name (if on then "TRUE" else "FALSE");
  cmakeFeature = cmakeOptionType "STRING";
  mesonOption = name: value: "-D${name}=${value}";
  mesonBool = name: on: mesonOption name (lib.boolToString on);
  mesonEnable = name: on: mesonOption name (if on then "enabled" else "disabled");

  # The number of single-character edits between two texts.
  levenshtein =
    a: b:
    let
      sizeA = stringLength a;
      sizeB = stringLength b;
      cell =
        i: j:
        if i == 0 then
          j
        else if j == 0 then
          i
        else if substring (i - 1) 1 a == substring (j - 1) 1 b then
          at (i - 1) (j - 1)
        else
          1 + lib.min (lib.min (at (i - 1) j) (at i (j - 1))) (at (i - 1) (j - 1));
      table = genList (i: genList (j: cell i j) (sizeB + 1)) (sizeA + 1);
      at = i: j: elemAt (elemAt table i) j;
    in
    at sizeA sizeB;
  levenshteinAtMost =
    bound: a: b:
    let
      difference = stringLength a - stringLength b;
    in
    (if difference < 0 then -difference else difference) <= bound && levenshtein a b <= bound;
  optionalPrefix = prefix: text: if text == "" then "" else prefix + text;
  lines = text: splitString "\n" (removeSuffix "\n" text);
}
