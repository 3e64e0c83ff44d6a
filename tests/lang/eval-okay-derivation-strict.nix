let d = builtins.derivationStrict { name = "x"; system = "s"; builder = "b"; outputs = [ "out" "dev" ]; }; in [ d (builtins.getContext d.out) (builtins.getContext d.drvPath) ]
