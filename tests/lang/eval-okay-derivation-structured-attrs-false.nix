let drv = derivation { name = "s"; system = "s"; builder = "b"; __structuredAttrs = false; }; in [ drv.drvPath drv.outPath ]
