builtins.path { path = "files"; }
