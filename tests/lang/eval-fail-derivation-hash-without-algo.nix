(derivation { name = "f"; system = "s"; builder = "b"; outputHash = builtins.hashString "sha256" ""; }).outPath
