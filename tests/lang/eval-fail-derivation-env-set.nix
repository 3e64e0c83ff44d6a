(derivation { name = "x"; system = "s"; builder = "b"; f = { }; }).drvPath
