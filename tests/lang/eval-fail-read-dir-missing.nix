builtins.readDir ./files/none
