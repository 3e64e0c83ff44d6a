builtins.parseDrvName (builtins.toFile "f" "1")
