let file = builtins.toFile "f" "x"; in { a = 1; }.${file}
