builtins.parseFlakeRef "nonsense::"
