# A list of a million: mapped, filtered, folded.
let
  numbers = builtins.genList (i: i) 1000000;
  odd = builtins.filter (i: builtins.bitAnd i 1 == 1) (map (i: i * 3) numbers);
in
[ (builtins.foldl' (a: b: a + b) 0 odd) (builtins.length odd) ]
