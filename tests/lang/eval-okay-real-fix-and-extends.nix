let
  fix = f: let x = f x; in x;
  extends = overlay: base: final: let prev = base final; in prev // overlay final prev;
  base = self: { a = 1; b = self.a + 1; name = "base"; };
  overlays = [ (final: prev: { a = 10; }) (final: prev: { a = prev.a + 1; c = final.b * 2; }) (final: prev: { name = "${prev.name}-overlaid"; }) ];
in fix (builtins.foldl' (f: o: extends o f) base overlays)
