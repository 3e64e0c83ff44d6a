(derivation { name = "x"; system = "s"; builder = "b"; outputs = [ "drv" ]; }).drvPath
