builtins.match "[[:nonsense:]]" "a"
