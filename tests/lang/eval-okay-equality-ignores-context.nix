let drv = derivation { name = "x"; system = "s"; builder = "b"; }; in
[ (drv.outPath == builtins.unsafeDiscardStringContext drv.outPath) (drv.outPath == drv.drvPath) ]
