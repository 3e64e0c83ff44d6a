let
  a = 1;
  b = 2;
  set = { c = 3; d.e = 4; "f g" = 5; };
in {
  plain = { inherit a b; };
  from = { inherit (set) c d; };
  quoted = { inherit (set) "f g" "c"; };
  none = { inherit; inherit (set); };
  fromExpression = { inherit (if a == 1 then { x = "x"; } else { }) x; };
  lazy = builtins.attrNames { inherit (throw "unused") p q; };
  inLet = let inherit (set) c; inherit (set.d) e; in [ c e ];
  recFrom = rec { inherit (s) v; s = { v = 6; }; w = v; };
  keyword = { inherit ({ or = 7; }) or; };
  withScope = with { z = 8; }; { inherit z; };
  shadowed = let a = 2; in { inherit a; x = { inherit a; }; };
}
