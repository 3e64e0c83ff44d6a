(derivation { name = "i"; system = "s"; builder = "b"; __impure = true; __contentAddressed = true; }).drvPath
