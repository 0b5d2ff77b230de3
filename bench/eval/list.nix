# Lists: sort, foldl', genericClosure, filter, concatMap, partition, groupBy, all, elem.
let
  inherit (builtins)
    all
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
    length
    map
    mapAttrs
    partition
    sort
    tail
    ;
  mod = a: b: a - b * (a / b);
  numbers = genList (i: mod (i * 7919 + 13) 10007) 20000;
  sorted = sort (a: b: a < b) numbers;
  evens = filter (x: mod x 2 == 0) numbers;
  closure = genericClosure {
    startSet = [ { key = 0; } ];
    operator = item: map (d: { key = mod (item.key * 3 + d) 4999; }) [ 1 2 ];
  };
  reverse = list: genList (i: elemAt list (length list - 1 - i)) (length list);
  walk = list: if list == [ ] then 0 else head list + walk (tail list);
  parts = partition (x: x < 5000) numbers;
in
{
  sum = foldl' (a: b: a + b) 0 sorted;
  even = foldl' builtins.add 0 evens;
  closure = length closure;
  spread = length (concatMap (x: if mod x 3 == 0 then [ x x ] else [ ]) numbers);
  reversed = foldl' (a: b: mod (a * 31 + b) 1000003) 7 (reverse numbers);
  walked = walk (genList (i: i) 500);
  sides = [ (length parts.right) (length parts.wrong) ];
  groups = mapAttrs (_: length) (groupBy (x: toString (mod x 10)) numbers);
  ordered = all (i: elemAt sorted i <= elemAt sorted (i + 1)) (genList (i: i) 19999);
  found = length (filter (x: elem x [ 1 2 3 5 8 13 21 34 55 89 144 ]) numbers);
  joined = length (concatLists (genList (i: [ i (i + 1) ]) 5000));
}
