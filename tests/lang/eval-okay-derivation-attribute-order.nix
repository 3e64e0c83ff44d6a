(derivation { name = "a"; system = "s"; builder = "b"; x = 1; y = 2; }).drvPath == (derivation { y = 2; x = 1; builder = "b"; system = "s"; name = "a"; }).drvPath
