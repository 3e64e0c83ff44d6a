let drv = derivation {
  name = "structured"; system = "s"; builder = "b"; __structuredAttrs = true; args = [ "a" 1 ];
  list = [ 1 "two" { three = 3; } null ]; set = { b = true; a = 1.5; }; int = 1; null' = null; string = "x\ny";
  file = ./files/plain.txt; nested.deep.er = [ [ ] { } ];
}; in [ drv.drvPath drv.outPath (builtins.attrNames drv) ]
