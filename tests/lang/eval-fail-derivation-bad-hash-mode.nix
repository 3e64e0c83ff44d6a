(derivation { name = "f"; system = "s"; builder = "b"; outputHashMode = "odd"; outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" ""; }).outPath
