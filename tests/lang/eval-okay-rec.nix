{
  forward = rec { a = b; b = 1; };
  nested = rec { a = 1; b = rec { a = 2; c = a; }; d = a; };
  outside = let x = 1; in rec { x = 2; y = x; };
  inheritOutside = let x = 1; in rec { inherit x; y = x + 1; };
  functions = (rec { f = x: g x; g = x: x + 1; }).f 1;
  quoted = rec { "a b" = 1; c = "in"; d = "${c}"; };
  dottedNames = rec { a.b = c; c = 3; };
  overlayed = (rec { a = 1; b = a; } // { a = 2; }).b;
  notRec = let a = 1; in { a = 2; b = a; };
  dynamicNotInScope = let k = "outer"; in rec { ${"k" + ""} = "inner"; v = k; };
}
