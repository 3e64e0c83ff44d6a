(derivation { name = "f"; system = "s"; builder = "b"; outputHashAlgo = "sha3"; outputHash = ""; }).outPath
