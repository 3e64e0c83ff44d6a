# Lists.
{ lib }:
let
  inherit (builtins)
    elemAt
    genList
    head
    length
    ;
in
rec {
  inherit (builtins)
    all
    any
    concatLists
    concatMap
    elem
    elemAt
    filter
    genList
    groupBy
    head
    isList
    length
    map
    partition
    sort
    tail
    ;

  singleton = x: [ x ];
  forEach = xs: f: map f xs;
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: xs: if condition then xs else [ ];
  toList = x: if builtins.isList x then x else [ x ];
  range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
  replicate = n: x: genList (_: x) n;

  foldr =
    op: nul: list:
    let
      count = length list;
      go = n: if n == count then nul else op (elemAt list n) (go (n + 1));
    in
    go 0;
  fold = foldr;
  foldl =
    op: nul: list:
    let
      go = n: if n == 0 then nul else op (go (n - 1)) (elemAt list (n - 1));
    in
    go (length list);

  imap0 = f: list: genList (n: f n (elemAt list n)) (length list);
  imap1 = f: list: genList (n: f (n + 1) (elemAt list n)) (length list);
  zipListsWith =
    f: a: b:
    genList (n: f (elemAt a n) (elemAt b n)) (lib.min (length a) (length b));
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });

  last =
    list:
    assert lib.assertMsg (list != [ ]) "lists.last: the list is empty";
    elemAt list (length list - 1);
  init =
    list:
    assert lib.assertMsg (list != [ ]) "lists.init: the list is empty";
    take (length list - 1) list;
  sublist =
    start: count: list:
    let
      end = lib.min (length list) (start + count);
    in
    if start >= end then [ ] else genList (n: elemAt list (start + n)) (end - start);
  take = sublist 0;
  drop = count: list: sublist count (length list) list;
  reverseList =
    list:
    let
      count = length list;
    in
    genList (n: elemAt list (count - n - 1)) count;

  flatten = x: if builtins.isList x then builtins.concatMap flatten x else [ x ];
  remove = x: builtins.filter (y: y != x);
  unique = foldl' (seen: x: if builtins.elem x seen then seen else seen ++ [ x ]) [ ];
  uniqueStrings = list: builtins.attrNames (builtins.groupBy (s: s) list);
  allUnique = list: length (unique list) == length list;
  intersectLists = a: builtins.filter (x: builtins.elem x a);
  subtractLists = a: builtins.filter (x: !builtins.elem x a);
  mutuallyExclusive = a: b: intersectLists a b == [ ];
  count = pred: list: length (builtins.filter pred list);
  foldl' = builtins.foldl';

  findFirst =
    pred: default: list:
    let
      found = builtins.filter pred list;
    in
    if found == [ ] then default else head found;
  findSingle =
    pred: none: many: list:
    let
      found = builtins.filter pred list;
    in
    if found == [ ] then
      none
    else if length found > 1 then
      many
    else
      head found;
  sortOn = key: builtins.sort (a: b: key a < key b);
  naturalSort = builtins.sort (a: b: builtins.compareVersions a b < 0);

  # Orders a list so that `before a b` pairs come out in that order; `{ cycle; loops; }` when
  # there is no such order. One element without predecessors is taken at a time, so that
  # elements that nothing relates keep the order that they came in.
  toposort =
    before: list:
    let
      go =
        done: rest:
        if rest == [ ] then
          { result = done; }
        else
          let
            free = findFirst (
              n: !any (m: m != n && before (elemAt rest m) (elemAt rest n)) (range 0 (length rest - 1))
            ) null (range 0 (length rest - 1));
          in
          if free == null then
            {
              cycle = rest;
              loops = rest;
            }
          else
            go (done ++ [ (elemAt rest free) ]) (take free rest ++ drop (free + 1) rest);
      inherit (builtins) any;
    in
    go [ ] list;
}
