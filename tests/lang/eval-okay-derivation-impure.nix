let
  impure = derivation { name = "i"; system = "s"; builder = "b"; __impure = true; };
  user = derivation { name = "u"; system = "s"; builder = "b"; __impure = true; input = impure; };
in map (d: [ d.drvPath d.outPath ]) [ impure user ]
