let true = "t"; false = "f"; null = "n"; in [ true false null (1 == 1) (1 == 2) builtins.true builtins.null ]
