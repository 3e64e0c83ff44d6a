builtins.getEnv (builtins.toFile "f" "x")
