let drv = derivation { name = "m"; system = "s"; builder = "b"; outputs = [ "out" "dev" "lib" ]; }; first = derivation { name = "m"; system = "s"; builder = "b"; outputs = [ "dev" "out" ]; }; in {
  paths = map (o: o.outPath) drv.all;
  byName = [ drv.dev.outPath drv.lib.outPath drv.dev.lib.outPath ];
  drvPath = drv.drvPath;
  default = drv.outputName;
  otherDefault = [ first.outputName first.outPath first.drvPath ];
  names = map (o: o.outputName) drv.all;
  onlyDev = (derivation { name = "m"; system = "s"; builder = "b"; outputs = [ "dev" ]; }).outPath;
  sameDrv = drv.drvPath == drv.dev.drvPath;
}
