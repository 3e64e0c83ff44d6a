let
  a = b + 1;
  b = 2;
  nested = let a = 10; in a + b;
  inherit (builtins) length;
  set.x = 1;
  set.y.z = set.x;
  "quoted name" = 7;
  f = x: a + x;
in [ a b nested (length [ 1 2 ]) set (f 1) (let in 5) (let a = 1; in let b = a; in b) ]
