{ a.b.c = [ 1 2 ]; other = throw "not evaluated"; }
