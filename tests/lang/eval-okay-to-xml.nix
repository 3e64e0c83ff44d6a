builtins.toXML { a = 1; b = [ 1.5 "s<&>\"'\n" true null ]; "c d" = { }; e = ./files/plain.txt; f = x: x; g = { a, b ? 1, ... }: a; h = all @ { q }: q; i = builtins.add; j = builtins.add 1; }
