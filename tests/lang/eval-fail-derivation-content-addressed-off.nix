(derivation { name = "ca"; system = "s"; builder = "b"; __contentAddressed = true; outputHashAlgo = "sha256"; outputHashMode = "recursive"; }).drvPath
