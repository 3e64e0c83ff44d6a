(derivation { name = "x"; system = "s"; builder = "b"; __structuredAttrs = true; maxSize = 1; }).name
+ (derivation { name = "y"; system = "s"; builder = "b"; __structuredAttrs = true; maxSize = 1; }).drvPath
+ (derivation { name = "z"; system = "s"; builder = "b"; outputHash = ""; outputHashAlgo = "sha256"; }).drvPath
