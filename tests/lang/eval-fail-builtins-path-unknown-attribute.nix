builtins.path { path = ./files; nonsense = 1; }
