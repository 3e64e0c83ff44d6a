let
  drv = outPath: extra: { type = "derivation"; inherit outPath; } // extra;
in {
  byOutPath = drv "/x" { a = 1; } == drv "/x" { a = 2; b = 3; };
  otherOutPath = drv "/x" { } == drv "/y" { };
  oneIsNone = drv "/x" { } == { outPath = "/x"; };
  withoutOutPath = { type = "derivation"; a = 1; } == { type = "derivation"; a = 1; };
  onlyOneOutPath = { type = "derivation"; outPath = "/x"; } == { type = "derivation"; };
  otherType = { type = "other"; outPath = "/x"; a = 1; } == { type = "other"; outPath = "/x"; a = 2; };
}
