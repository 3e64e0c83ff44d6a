let d = derivation { name = "x"; system = "s"; builder = "b"; self = d; }; in d.drvPath
