builtins.readFile ./files/tree/dangling
