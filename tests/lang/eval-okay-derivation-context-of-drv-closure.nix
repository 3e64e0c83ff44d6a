# A context of a derivation with all outputs takes its whole closure along.
with builtins; let a = derivation { name = "a"; system = "s"; builder = "b"; src = toFile "src" "x"; }; b = derivation { name = "b"; system = "s"; builder = "b"; inherit a; }; c = derivation { name = "c"; system = "s"; builder = "b"; closure = b.drvPath; }; in [ c.drvPath c.outPath (getContext b.drvPath) ]
