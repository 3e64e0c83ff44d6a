# Functions are never equal, except where the same cell is compared inside a list or a set.
let f = x: x; set = { inherit f; }; list = [ f ]; in {
  itself = f == f;
  inLists = [ f ] == [ f ];
  sameList = list == list;
  inSets = { inherit f; } == { inherit f; };
  sameSet = set == set;
  builtin = [ (builtins.add == builtins.add) ([ builtins.add ] == [ builtins.add ]) (builtins == builtins) ];
  partial = let p = builtins.add 1; in [ (p == p) ([ p ] == [ p ]) ];
  written = (x: x) == (x: x);
  viaSelect = set.f == set.f;
}
