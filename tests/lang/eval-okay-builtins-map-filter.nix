with builtins; {
  map = map (x: x * 2) [ 1 2 3 ];
  mapEmpty = map (throw "unused") [ ];
  mapBuiltin = map toString [ 1 true ];
  filter = filter (x: x > 1) [ 3 1 2 ];
  filterNone = filter (x: false) [ 1 (throw "kept unforced") ];
  filterKeepsThunks = length (filter (x: true) [ (throw "a") (throw "b") ]);
  concatMap = concatMap (x: [ x [ x ] ]) [ 1 2 ];
  concatMapEmpty = [ (concatMap (x: [ ]) [ 1 2 ]) (concatMap (x: [ x ]) [ ]) ];
  any = [ (any (x: x > 1) [ 1 2 (throw "not reached") ]) (any (x: true) [ ]) (any (x: x) [ false false ]) ];
  all = [ (all (x: x > 1) [ 2 1 (throw "not reached") ]) (all (x: false) [ ]) (all (x: x) [ true true ]) ];
  partition = partition (x: x > 2) [ 1 5 2 4 3 ];
  partitionEmpty = partition (x: throw "unused") [ ];
}
