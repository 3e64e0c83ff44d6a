(derivation { name = "f"; system = "s"; builder = "b"; outputs = [ "lib" ]; outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" ""; }).outPath
