# 10^5 merges of a small attribute set into a growing one, and as many of sets of equal size.
let
  numbers = builtins.genList (i: i) 100000;
  name = i: "name${toString (i - i / 100 * 100)}";
  grown = builtins.foldl' (set: i: set // { ${name i} = i; }) { } numbers;
  record = i: { a = i; b = i; c = i; d = i; } // { c = 0; e = 0; f = 0; };
  sum = builtins.foldl' (total: i: let r = record i; in total + r.a + r.f) 0 numbers;
in
[ (builtins.length (builtins.attrNames grown)) grown.name7 sum ]
