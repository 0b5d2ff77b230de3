# Attribute sets: mapAttrs, listToAttrs, long chains of //, selection, removeAttrs, intersectAttrs, zipAttrsWith.
let
  inherit (builtins)
    attrNames
    attrValues
    foldl'
    genList
    hasAttr
    intersectAttrs
    length
    listToAttrs
    map
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;
  names = genList (i: "name${toString i}") 3000;
  big = listToAttrs (map (name: { inherit name; value = name; }) names);
  numbers = listToAttrs (genList (i: { name = "name${toString i}"; value = i; }) 3000);
  sum = foldl' (a: b: a + b) 0;
  chain = foldl' (set: i: set // { "extra${toString i}" = i; last = i; }) numbers (genList (i: i) 300);
  small = foldl' (set: i: set // { a = i; b = set.a; c = set.b + 1; }) { a = 0; b = 0; c = 0; } (genList (i: i) 30000);
in
{
  mapped = sum (attrValues (mapAttrs (_: v: v * 2) numbers));
  again = length (attrNames (mapAttrs (n: v: n + v) big));
  chained = length (attrNames chain);
  small = small.c;
  without = length (attrNames (removeAttrs numbers (genList (i: "name${toString (i * 3)}") 1000)));
  common = length (attrNames (intersectAttrs big chain));
  zipped = sum (attrValues (zipAttrsWith (_: sum) [ numbers numbers (mapAttrs (_: v: v + 1) numbers) ]));
  present = length (builtins.filter (name: hasAttr name chain) names);
  selected = sum (map (name: numbers.${name} or 0) names);
  same = numbers == mapAttrs (_: v: v + 0) numbers;
  nested = (foldl' (inner: i: { inherit i inner; depth = (inner.depth or 0) + 1; }) { } (genList (i: i) 2000)).depth;
}
