with builtins; let
  drv = derivation { name = "d"; system = "s"; builder = "b"; outputs = [ "out" "dev" ]; };
  file = toFile "f" "x";
  ctx = getContext;
in {
  none = ctx "plain";
  out = ctx drv.outPath;
  dev = ctx "${drv.dev}";
  both = ctx "${drv.out} and ${drv.dev}";
  drvPath = ctx drv.drvPath;
  file = ctx file;
  path = ctx "${./files/plain.txt}";
  mixed = ctx "${file}${drv}${drv.drvPath}";
  has = map hasContext [ "x" file drv.outPath (unsafeDiscardStringContext drv.outPath) ];
}
