builtins.readFile ./files/not-there
