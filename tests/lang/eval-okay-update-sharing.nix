# Layers of `//` keep every name once, whatever the sizes.
let
  big = builtins.listToAttrs (map (i: { name = "k${toString i}"; value = i; }) (builtins.genList (i: i) 200));
  layered = builtins.foldl' (s: i: s // { ${"k${toString i}"} = "new"; ${"x${toString i}"} = i; }) big (builtins.genList (i: i * 3) 50);
in [ (builtins.length (builtins.attrNames layered)) layered.k0 layered.k1 layered.x147 (layered ? x148) (removeAttrs layered (builtins.attrNames big) == builtins.listToAttrs (map (i: { name = "x${toString (i * 3)}"; value = i * 3; }) (builtins.genList (i: i) 50))) (big.k0) ]
