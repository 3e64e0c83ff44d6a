builtins.readDir ./files/plain.txt
