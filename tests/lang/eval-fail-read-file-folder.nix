builtins.readFile ./files/tree
