builtins.readDir ./files/tree/link
