# Attribute sets: reading and writing by path, mapping, filtering, merging; and the outputs of derivations.
{ lib }:
let
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    concatMap
    elem
    elemAt
    filter
    foldl'
    groupBy
    head
    isAttrs
    length
    listToAttrs
    mapAttrs
    removeAttrs
    tail
    zipAttrsWith
    ;
in
rec {
  inherit
    attrNames
    attrValues
    catAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    ;
  inherit (builtins)
    getAttr
    hasAttr
    intersectAttrs
    ;
  inherit isAttrs;
  inherit zipAttrsWith;

  # attrByPath [ "a" "b" ] default set = set.a.b or default
  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if set ? ${head path} then
      attrByPath (tail path) default set.${head path}
    else
      default;
  hasAttrByPath =
    path: set:
    path == [ ] || (isAttrs set && set ? ${head path} && hasAttrByPath (tail path) set.${head path});
  # The longest beginning of the path that exists.
  longestValidPathPrefix =
    path: set:
    let
      go = n: v: if n < length path && isAttrs v && v ? ${elemAt path n} then go (n + 1) v.${elemAt path n} else n;
    in
    lib.take (go 0 set) path;
  getAttrFromPath =
    path: set:
    let
      missing = throw "cannot find attribute `${lib.concatStringsSep "." path}'";
    in
    attrByPath path missing set;
  setAttrByPath = path: value: lib.foldr (name: inner: { ${name} = inner; }) value path;
  attrVals = names: set: map (name: set.${name}) names;
  getAttrs = names: set: mapAttrs (name: _: set.${name}) (genAttrs names (_: null));
  setAttr =
    set: name: value:
    set // { ${name} = value; };
  concatMapAttrs = f: set: foldl' (a: b: a // b) { } (attrValues (mapAttrs f set));

  # Applies many `{ path; update; }`, later ones to the result of earlier ones.
  updateManyAttrsByPath =
    let
      one =
        {
          path,
          update,
        }:
        value:
        if path == [ ] then
          update value
        else
          let
            name = head path;
            inner = {
              inherit update;
              path = tail path;
            };
          in
          value // { ${name} = one inner (value.${name} or (throw "updateManyAttrsByPath: no attribute `${name}'")); };
    in
    updates: value: foldl' (v: update: one update v) value updates;

  filterAttrs =
    pred: set: removeAttrs set (filter (name: !pred name set.${name}) (attrNames set));
  filterAttrsRecursive =
    pred: set:
    mapAttrs (_: v: if isAttrs v then filterAttrsRecursive pred v else v) (filterAttrs pred set);
  foldlAttrs =
    f: init: set:
    foldl' (acc: name: f acc name set.${name}) init (attrNames set);
  foldAttrs =
    f: init: sets:
    zipAttrsWith (_: values: lib.foldr f init values) sets;
  collect =
    pred: set:
    if pred set then
      [ set ]
    else if isAttrs set then
      concatMap (collect pred) (attrValues set)
    else
      [ ];
  cartesianProduct =
    sets:
    foldl' (acc: name: concatMap (rest: map (value: rest // { ${name} = value; }) sets.${name}) acc) [ { } ] (
      attrNames sets
    );
  cartesianProductOfSets = cartesianProduct;
  mapCartesianProduct = f: sets: map f (cartesianProduct sets);

  nameValuePair = name: value: { inherit name value; };
  mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  attrsToList = mapAttrsToList nameValuePair;
  mapAttrsRecursive = mapAttrsRecursiveCond (_: true);
  mapAttrsRecursiveCond =
    cond: f: set:
    let
      go = path: mapAttrs (name: v: if isAttrs v && cond v then go (path ++ [ name ]) v else f (path ++ [ name ]) v);
    in
    go [ ] set;
  mapAttrsToListRecursive = mapAttrsToListRecursiveCond (_: _: true);
  mapAttrsToListRecursiveCond =
    cond: f:
    let
      go =
        path: v:
        if isAttrs v && cond path v then
          concatMap (name: go (path ++ [ name ]) v.${name}) (attrNames v)
        else
          [ (f path v) ];
    in
    go [ ];
  genAttrs = names: f: genAttrs' names (name: nameValuePair name (f name));
  genAttrs' = list: f: listToAttrs (map f list);

  isDerivation = value: value.type or null == "derivation";
  # Makes a store path look like a derivation, for functions that want packages.
  toDerivation =
    path:
    let
      path' = builtins.storePath path;
      result = {
        type = "derivation";
        name = lib.strings.sanitizeDerivationName (builtins.substring 33 (-1) (baseNameOf path'));
        outPath = path';
        outputs = [ "out" ];
        out = result;
        outputName = "out";
      };
    in
    result;
  optionalAttrs = cond: set: if cond then set else { };

  zipAttrsWithNames =
    names: f: sets:
    listToAttrs (map (name: nameValuePair name (f name (catAttrs name sets))) names);
  zipAttrs = zipAttrsWith (_: values: values);
  mergeAttrsList =
    list:
    # In halves, so that long lists cost n log n and not n².
    let
      go =
        from: to:
        if to - from < 3 then
          foldl' (a: i: a // elemAt list i) { } (lib.range from (to - 1))
        else
          let
            middle = (from + to) / 2;
          in
          go from middle // go middle to;
    in
    if list == [ ] then { } else go 0 (length list);

  # Merges two trees; where `stop path left right` holds the right one wins whole.
  recursiveUpdateUntil =
    stop: left: right:
    let
      go =
        path:
        zipAttrsWith (
          name: values:
          let
            here = path ++ [ name ];
          in
          if length values == 1 || stop here (elemAt values 1) (head values) then head values else go here values
        );
    in
    go [ ] [
      right
      left
    ];
  recursiveUpdate = recursiveUpdateUntil (
    _: left: right:
    !(isAttrs left && isAttrs right)
  );
  matchAttrs =
    pattern: set:
    lib.all (
      name:
      set ? ${name}
      && (if isAttrs pattern.${name} then isAttrs set.${name} && matchAttrs pattern.${name} set.${name} else pattern.${name} == set.${name})
    ) (attrNames pattern);
  overrideExisting = old: new: mapAttrs (name: value: new.${name} or value) old;
  # Left or right, but not both with different values.
  unionOfDisjoint =
    a: b:
    let
      both = attrNames (builtins.intersectAttrs a b);
    in
    mapAttrs (
      name: value: if elem name both then throw "unionOfDisjoint: both sets have the attribute `${name}'" else value
    ) (a // b);
  invertAttrs = set: listToAttrs (mapAttrsToList (name: value: nameValuePair value name) set);

  showAttrPath =
    path: if path == [ ] then "<root attribute path>" else lib.concatMapStringsSep "." lib.strings.escapeNixIdentifier path;

  getOutput =
    output: pkg: if !(pkg ? outputSpecified) || !pkg.outputSpecified then pkg.${output} or pkg.out or pkg else pkg;
  getFirstOutput =
    candidates: pkg:
    let
      found = lib.findFirst (name: pkg ? ${name}) null candidates;
    in
    if pkg.outputSpecified or false || found == null then pkg else pkg.${found};
  getBin = getOutput "bin";
  getLib = getOutput "lib";
  getStatic = getFirstOutput [
    "static"
    "lib"
    "out"
  ];
  getDev = getOutput "dev";
  getInclude = getFirstOutput [
    "include"
    "dev"
    "out"
  ];
  getMan = getOutput "man";
  chooseDevOutputs = map getDev;

  # Marks a set as worth descending into, for tools that list packages.
  recurseIntoAttrs = set: set // { recurseForDerivations = true; };
  dontRecurseIntoAttrs = set: set // { recurseForDerivations = false; };

  inherit groupBy;
  attrNamesRecursive = set: mapAttrsToListRecursive (path: _: path) set;
}
