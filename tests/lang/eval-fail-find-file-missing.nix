builtins.findFile [ { prefix = "a"; path = toString ./files; } ] "b"
