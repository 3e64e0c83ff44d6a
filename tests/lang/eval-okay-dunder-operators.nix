# Operators are calls of what these names are bound to.
let
  __sub = a: b: "sub";
  __mul = a: b: "mul";
  __div = a: b: "div";
  __lessThan = a: b: "less";
in [ (1 - 2) (1 * 2) (1 / 2) (1 < 2) (-1) (1 + 2) ]
