with builtins; let by = f: sort (a: b: f a < f b); in {
  numbers = sort lessThan [ 3 1 2 3 0 ];
  floats = sort lessThan [ 1.5 1 0.5 ];
  strings = sort (a: b: a < b) [ "b" "" "a" "B" "ab" ];
  descending = sort (a: b: b < a) [ 1 3 2 ];
  empty = sort (throw "unused") [ ];
  single = sort (a: throw "unused") [ 1 ];
  stable = map (x: x.v) (by (x: x.k) [ { k = 1; v = "a"; } { k = 0; v = "b"; } { k = 1; v = "c"; } { k = 0; v = "d"; } { k = 1; v = "e"; } ]);
  stableLong = map (x: x.i) (by (x: x.k) (genList (i: { inherit i; k = (i * 7) - (i * 7 / 3) * 3; }) 40));
  never = sort (a: b: false) [ 3 1 2 ];
  lists = sort lessThan [ [ 2 ] [ 1 2 ] [ ] [ 1 ] ];
  paths = map baseNameOf (sort lessThan [ ./b ./a ./c ]);
}
