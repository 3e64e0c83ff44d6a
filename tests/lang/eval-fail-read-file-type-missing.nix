builtins.readFileType ./files/none
