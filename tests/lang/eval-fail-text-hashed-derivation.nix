(derivation { name = "x"; system = "s"; builder = "b"; outputHash = ""; outputHashAlgo = "sha256"; outputHashMode = "text"; }).drvPath
