let drv = derivation { name = "hello-1.0"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo hi" ]; }; in {
  inherit (drv) drvPath outPath name system builder args type outputName;
  names = builtins.attrNames drv;
  attrs = drv.drvAttrs;
  out = drv.out.outPath == drv.outPath;
  all = map (o: o.outPath) drv.all;
  string = "${drv}";
}
