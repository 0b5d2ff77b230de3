# Lists: folding, searching, slicing, sorting, grouping, set operations.
{ lib }:
let
  inherit (builtins)
    all
    any
    attrNames
    concatLists
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    genericClosure
    groupBy
    head
    isList
    length
    partition
    sort
    tail
    ;
  inherit (lib.trivial) compare min;
in
rec {
  inherit
    all
    any
    concatLists
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    head
    isList
    length
    partition
    sort
    tail
    ;
  inherit (builtins) map;

  singleton = x: [ x ];
  forEach = list: f: map f list;

  # From the right and lazy: `op` may leave its second argument alone.
  foldr =
    op: nul: list:
    let
      count = length list;
      go = n: if n == count then nul else op (elemAt list n) (go (n + 1));
    in
    go 0;
  fold = foldr;
  # From the left and lazy in the accumulator, unlike foldl'.
  foldl =
    op: nul: list:
    let
      go = n: if n == -1 then nul else op (go (n - 1)) (elemAt list n);
    in
    go (length list - 1);

  imap0 = f: list: genList (n: f n (elemAt list n)) (length list);
  imap1 = f: list: genList (n: f (n + 1) (elemAt list n)) (length list);
  ifilter0 = pred: list: map (n: elemAt list n) (filter (n: pred n (elemAt list n)) (genList (n: n) (length list)));

  flatten = x: if isList x then concatMap flatten x else [ x ];
  remove = e: filter (x: x != e);
  findSingle =
    pred: none: several: list:
    let
      found = filter pred list;
    in
    if found == [ ] then
      none
    else if length found == 1 then
      head found
    else
      several;
  findFirstIndex =
    pred: default: list:
    let
      count = length list;
      go =
        n:
        if n == count then
          default
        else if pred (elemAt list n) then
          n
        else
          go (n + 1);
    in
    go 0;
  findFirst =
    pred: default: list:
    let
      index = findFirstIndex pred null list;
    in
    if index == null then default else elemAt list index;

  count = pred: foldl' (n: x: if pred x then n + 1 else n) 0;
  optional = cond: x: if cond then [ x ] else [ ];
  optionals = cond: list: if cond then list else [ ];
  toList = x: if isList x then x else [ x ];
  range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
  replicate = n: x: genList (_: x) n;

  inherit groupBy;
  groupBy' =
    op: nul: pred: list:
    builtins.mapAttrs (_: foldl' op nul) (groupBy pred list);
  zipListsWith =
    f: a: b:
    genList (n: f (elemAt a n) (elemAt b n)) (min (length a) (length b));
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });
  reverseList =
    list:
    let
      count = length list;
    in
    genList (n: elemAt list (count - n - 1)) count;

  # Depth first along `before a b` (a comes before b); tells a cycle when it meets one.
  listDfs =
    stopOnCycles: before: list:
    let
      go =
        us: visited: rest:
        let
          closer = filter (x: before x us) visited;
          b = partition (x: before x us) rest;
        in
        if stopOnCycles && closer != [ ] then
          {
            cycle = us;
            loops = closer;
            inherit visited rest;
          }
        else if b.right == [ ] then
          {
            minimal = us;
            inherit visited rest;
          }
        else
          go (head b.right) ([ us ] ++ visited) (tail b.right ++ b.wrong);
    in
    go (head list) [ ] (tail list);
  # Sorts by a partial order: `{ result; }`, or `{ cycle; loops; }`.
  toposort =
    before: list:
    let
      first = listDfs true before list;
      rest = toposort before (first.visited ++ first.rest);
    in
    if length list < 2 then
      { result = list; }
    else if first ? cycle then
      {
        cycle = reverseList ([ first.cycle ] ++ first.visited);
        inherit (first) loops;
      }
    else if rest ? cycle then
      rest
    else
      { result = [ first.minimal ] ++ rest.result; };

  sortOn =
    f: list:
    let
      keyed = map (x: {
        key = f x;
        inherit x;
      }) list;
    in
    map (k: k.x) (sort (a: b: a.key < b.key) keyed);
  compareLists = lib.trivial.compareLists;
  # "page-9" before "page-10": runs of digits are compared as numbers.
  naturalSort =
    list:
    let
      key = text: map (part: if isList part then lib.toIntBase10 (head part) else part) (builtins.split "([0-9]+)" text);
      smaller =
        a: b:
        compareLists (
          x: y:
          if builtins.isInt x == builtins.isInt y then
            compare x y
          else if builtins.isInt x then
            -1
          else
            1
        ) a.key b.key < 0;
    in
    map (k: k.text) (
      sort smaller (
        map (text: {
          inherit text;
          key = key text;
        }) list
      )
    );

  sublist =
    start: count: list:
    let
      available = length list - start;
    in
    genList (n: elemAt list (start + n)) (
      if available <= 0 then
        0
      else if count > available then
        available
      else
        count
    );
  take = sublist 0;
  takeEnd = n: list: drop (lib.max 0 (length list - n)) list;
  drop = n: list: sublist n (length list) list;
  dropEnd = n: list: take (lib.max 0 (length list - n)) list;
  hasPrefix = prefix: list: take (length prefix) list == prefix;
  removePrefix =
    prefix: list:
    if hasPrefix prefix list then drop (length prefix) list else throw "lists.removePrefix: the first list is no prefix of the second";
  commonPrefix =
    a: b:
    let
      bound = min (length a) (length b);
      go = n: if n < bound && elemAt a n == elemAt b n then go (n + 1) else n;
    in
    take (go 0) a;
  last =
    list:
    assert lib.assertMsg (list != [ ]) "lists.last: the list is empty";
    elemAt list (length list - 1);
  init =
    list:
    assert lib.assertMsg (list != [ ]) "lists.init: the list is empty";
    take (length list - 1) list;

  crossLists = f: foldl (fs: args: concatMap (f: map f args) fs) [ f ];
  unique = foldl' (acc: e: if elem e acc then acc else acc ++ [ e ]) [ ];
  uniqueStrings = list: attrNames (groupBy (x: x) list);
  allUnique = list: length (unique list) == length list;
  intersectLists = e: filter (x: elem x e);
  subtractLists = e: filter (x: !elem x e);
  mutuallyExclusive = a: b: !any (x: elem x a) b;
  concatAttrValues = set: concatLists (builtins.attrValues set);
  replaceElemAt =
    list: index: value:
    if index >= 0 && index < length list then
      imap0 (n: old: if n == index then value else old) list
    else
      throw "lists.replaceElemAt: index ${toString index} is outside a list of length ${toString (length list)}";
  closure =
    next: start:
    map (node: node.key) (genericClosure {
      startSet = map (key: { inherit key; }) start;
      operator = node: map (key: { inherit key; }) (next node.key);
    });
}
