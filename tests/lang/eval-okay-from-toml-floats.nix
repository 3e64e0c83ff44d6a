builtins.mapAttrs (n: v: [ (builtins.typeOf v) (toString v) ]) (builtins.fromTOML ''
  inf = inf
  negative = -inf
  whole = 1.0
  zero = -0.0
  long = 1_000.000_1
'')
