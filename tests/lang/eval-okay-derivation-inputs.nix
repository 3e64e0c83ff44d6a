let
  a = derivation { name = "a"; system = "s"; builder = "b"; };
  m = derivation { name = "m"; system = "s"; builder = "b"; outputs = [ "out" "dev" ]; };
  b = derivation { name = "b"; system = "s"; builder = "${a}/bin/x"; file = ./files/plain.txt; text = builtins.toFile "t" "text"; dev = m.dev; out = "${m}"; };
  c = derivation { name = "c"; system = "s"; builder = "b"; inputs = [ b a ]; drvFile = b.drvPath; };
  d = derivation { name = "d"; system = "s"; builder = "b"; drvOnly = builtins.unsafeDiscardOutputDependency b.drvPath; };
in map (x: [ x.drvPath x.outPath ]) [ a m b c d ]
