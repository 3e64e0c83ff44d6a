# A closure of 10^5 nodes, each of which names three others.
let
  size = 100000;
  wrap = i: i - i / size * size;
  nodes = builtins.genericClosure {
    startSet = [ { key = 0; } ];
    operator = node: [ { key = wrap (node.key + 1); } { key = wrap (node.key * 7 + 3); } { key = wrap (node.key * 13 + 5); } ];
  };
in
builtins.length nodes
