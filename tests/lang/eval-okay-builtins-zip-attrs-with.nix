with builtins; {
  plain = zipAttrsWith (n: vs: { inherit n vs; }) [ { a = 1; b = 2; } { a = 3; } { c = 4; a = 5; } ];
  empty = [ (zipAttrsWith (n: vs: vs) [ ]) (zipAttrsWith (n: vs: vs) [ { } { } ]) ];
  lazy = attrNames (zipAttrsWith (n: throw "never called") [ { a = 1; } { b = throw "x"; } ]);
  lastWins = zipAttrsWith (n: vs: elemAt vs (length vs - 1)) [ { a = 1; b = 1; } { a = 2; } ];
}
