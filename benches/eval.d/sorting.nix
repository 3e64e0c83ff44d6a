# A million numbers in disorder.
let
  prime = 1000003;
  numbers = builtins.genList (i: let x = i * 7919; in x - x / prime * prime) 1000000;
  sorted = builtins.sort (a: b: a < b) numbers;
in
[ (builtins.head sorted) (builtins.elemAt sorted 500000) (builtins.elemAt sorted 999999) ]
