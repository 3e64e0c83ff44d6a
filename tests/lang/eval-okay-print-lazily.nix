{ a = 1 + 1; b = { c = 1 + 2; }; d = [ (1 + 1) 2 "x" ]; e = x: x; f = 1; g = builtins.add; h = builtins.add 1; i = throw "untouched"; j = ./x; k = null; l = "s"; m = { }; n = [ ]; }
