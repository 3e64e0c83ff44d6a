{
  missing = { }.a or 1;
  present = { a = 2; }.a or 1;
  deepMissing = { a = { }; }.a.b.c or 3;
  notASet = { a = 1; }.a.b or 4;
  notASetAtAll = (1).a or 5;
  nullBase = (null).a or 6;
  listBase = [ ({ }.a or 7) ];
  unusedDefault = { a = 8; }.a or (throw "default");
  nested = { }.a or { }.b or 9;
  defaultIsSimple = { }.a or builtins.add 1 2;
  dynamic = { }.${"x"} or 10;
  applied = ({ }.f or (x: x + 1)) 10;
}
