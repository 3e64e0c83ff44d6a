{ a = [ 1 2.5 "x" null true { } ]; "b c" = { outPath = "o"; x = throw "unused"; }; d = { __toString = _: "t"; }; e = "ä\n\"\\"; f = ./files/plain.txt; }
