(derivation { name = "x"; system = "s"; builder = null; args = 1; }).drvPath
