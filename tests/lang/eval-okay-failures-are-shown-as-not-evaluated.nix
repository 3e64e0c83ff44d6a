let
  s = { a = throw "x"; b = [ s.a ]; c = builtins.tryEval s.a; };
in
builtins.seq s.c.success s
