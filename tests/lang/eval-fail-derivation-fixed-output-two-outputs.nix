(derivation { name = "f"; system = "s"; builder = "b"; outputs = [ "out" "dev" ]; outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" ""; }).outPath
