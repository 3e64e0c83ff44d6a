builtins.path { path = ./files; "x y" = 1; }
