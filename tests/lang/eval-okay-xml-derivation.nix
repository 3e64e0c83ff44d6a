let drv = derivation { name = "shown"; system = "s"; builder = "/b"; }; in [ drv drv { inherit (drv) out; } ]
