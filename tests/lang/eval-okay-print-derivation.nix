let drv = derivation { name = "shown"; system = "s"; builder = "/b"; }; in { inherit drv; }
