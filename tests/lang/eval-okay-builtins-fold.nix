with builtins; {
  sum = foldl' (a: b: a + b) 0 (genList (x: x) 101);
  order = foldl' (a: b: "(${a}${b})") "0" [ "1" "2" "3" ];
  empty = foldl' (a: b: throw "unused") 5 [ ];
  lazyStart = foldl' (a: b: b) (throw "start") [ 1 2 ];
  lists = foldl' (a: b: a ++ [ b ]) [ ] [ 3 2 1 ];
  builtin = foldl' add 1 [ 2 3 ];
  setAccumulator = (foldl' (a: b: a // { ${b} = a.n; n = a.n + 1; }) { n = 0; } [ "x" "y" ]);
  unforcedElements = foldl' (a: b: a) 1 [ (throw "element") ];
}
