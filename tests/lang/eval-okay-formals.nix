let
  f = { a, b ? 2, ... }: [ a b ];
  exact = { a ? 1 }: a;
in {
  given = f { a = 1; };
  override = f { a = 1; b = 3; };
  extra = f { a = 1; c = throw "not looked at"; };
  empty = [ ({ }: 1) ({ ... }: 2) ] == [ ] || ({ }: 1) { } == 1;
  defaults = [ (exact { }) (exact { a = 5; }) ];
  dependent = ({ a, b ? a + 1, c ? b + 1 }: [ a b c ]) { a = 1; };
  backward = ({ a ? b, b ? 7 }: a) { };
  trailingComma = ({ a, b, }: a + b) { a = 1; b = 2; };
  outer = let x = 5; in ({ x ? 1, y ? x }: y) { };
  explicitNull = ({ a ? 1 }: a) { a = null; };
  unusedDefault = ({ a ? throw "default" }: 1) { };
  lazyArgument = ({ a, b }: a) { a = 1; b = throw "b"; };
}
