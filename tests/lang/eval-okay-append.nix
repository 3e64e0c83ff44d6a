let long = [ 1 2 3 ]; in {
  empty = [ ([ ] ++ [ ]) ([ ] ++ [ 1 ]) ([ 1 ] ++ [ ]) ];
  chain = long ++ long ++ [ 4 ];
  unforced = builtins.length ([ (throw "a") ] ++ [ (throw "b") ]);
}
