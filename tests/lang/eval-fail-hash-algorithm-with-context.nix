builtins.hashString (builtins.toFile "f" "x") "y"
