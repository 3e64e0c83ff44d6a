builtins.path { path = ./files/none; }
