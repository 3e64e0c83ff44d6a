(derivation { name = "x"; system = "s"; builder = "b"; bytes = builtins.readFile ./files/latin1.txt; }).drvPath
