let
  ca = derivation { name = "ca"; system = "s"; builder = "b"; __contentAddressed = true; outputHashAlgo = "sha256"; outputHashMode = "recursive"; outputs = [ "out" "dev" ]; };
  defaults = derivation { name = "ca"; system = "s"; builder = "b"; __contentAddressed = true; };
  user = derivation { name = "user"; system = "s"; builder = "b"; inherit ca; dev = ca.dev; };
  text = derivation { name = "text"; system = "s"; builder = "b"; __contentAddressed = true; outputHashMode = "flat"; outputHashAlgo = "sha256"; };
  off = derivation { name = "off"; system = "s"; builder = "b"; __contentAddressed = false; };
in map (d: [ d.drvPath d.outPath ]) [ ca ca.dev defaults user text off ]
