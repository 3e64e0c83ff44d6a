(derivation { name = "x"; system = "s"; builder = "b"; broken = throw "the value fails"; }).drvPath
