{
  elements = [ 1 "two" [ 3 ] { four = 4; } (x: x) ./five.nix null ];
  calls = [ (builtins.add 1 2) builtins.length [ ] ];
  negative = [ (-1) ];
  selected = [ { a = 1; }.a { b = 2; }.b or 3 { }.c or 4 ];
  nested = [ [ ] [ [ ] ] [ [ [ ] ] ] ];
  lambdaIn = map (f: f 2) [ (x: x + 1) (x: x * 2) ];
}
