let
  producer = derivation { name = "made.drv"; system = "s"; builder = "b"; __contentAddressed = true; outputHashMode = "text"; outputHashAlgo = "sha256"; };
in [ producer.drvPath producer.outPath (builtins.outputOf (builtins.unsafeDiscardOutputDependency producer.drvPath) "out") ]
