with builtins; {
  plain = groupBy (x: if x > 2 then "big" else "small") [ 1 5 2 4 3 ];
  empty = groupBy (x: throw "unused") [ ];
  order = groupBy (x: x.k) [ { k = "b"; v = 1; } { k = "a"; v = 2; } { k = "b"; v = 3; } ];
}
