# Strings: joining, splitting, replacing, matching, hashing, interpolation.
let
  inherit (builtins)
    concatMap
    concatStringsSep
    elemAt
    filter
    foldl'
    genList
    hashString
    isString
    length
    map
    match
    replaceStrings
    split
    stringLength
    substring
    toJSON
    fromJSON
    ;
  words = genList (i: "word-${toString i}") 8000;
  text = concatStringsSep " " words;
  chars = s: genList (i: substring i 1 s) (stringLength s);
  upper = replaceStrings (chars "abcdefghijklmnopqrstuvwxyz") (chars "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  parts = filter isString (split " " text);
  numbers = map (word: elemAt (match "([a-z]+)-([0-9]+)" word) 1) words;
in
{
  length = stringLength text;
  upper = hashString "sha256" (upper text);
  parts = length parts;
  digits = hashString "md5" (concatStringsSep "" numbers);
  letters = length (filter (c: c == "o") (chars text));
  grown = stringLength (foldl' (s: w: "${s}${w}") "" (genList toString 3000));
  json = length (fromJSON (toJSON words));
  versions = length (concatMap builtins.splitVersion (genList (i: "1.${toString i}.3pre") 2000));
  hashes = stringLength (concatStringsSep "" (map (hashString "sha256") (genList (i: "text ${toString i}") 2000)));
  lines = length (split "\n" (replaceStrings [ " " ] [ "\n" ] text));
}
