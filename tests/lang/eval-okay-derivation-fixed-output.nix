let fixed = extra: let d = derivation ({ name = "f"; system = "s"; builder = "b"; } // extra); in [ d.drvPath d.outPath ]; hash = builtins.hashString "sha256" ""; in {
  flat = fixed { outputHashMode = "flat"; outputHashAlgo = "sha256"; outputHash = hash; };
  defaultMode = fixed { outputHashAlgo = "sha256"; outputHash = hash; };
  recursive = fixed { outputHashMode = "recursive"; outputHashAlgo = "sha256"; outputHash = hash; };
  nar = fixed { outputHashMode = "nar"; outputHashAlgo = "sha256"; outputHash = hash; };
  sri = fixed { outputHashMode = "recursive"; outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; };
  sriWithAlgo = fixed { outputHashAlgo = "sha256"; outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; };
  algoNull = fixed { outputHashAlgo = null; outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; };
  base32 = fixed { outputHashAlgo = "sha256"; outputHash = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"; };
  sha1 = fixed { outputHashAlgo = "sha1"; outputHash = builtins.hashString "sha1" ""; };
  md5 = fixed { outputHashAlgo = "md5"; outputHash = builtins.hashString "md5" ""; outputHashMode = "recursive"; };
  sha512 = fixed { outputHashAlgo = "sha512"; outputHash = builtins.hashString "sha512" ""; };
  empty = fixed { outputHashAlgo = "sha256"; outputHash = ""; };
}
