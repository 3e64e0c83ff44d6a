# How every kind of value becomes a variable.
let drv = derivation {
  name = "env"; system = "s"; builder = "b";
  int = 1; float = 1.5; true' = true; false' = false; null' = null;
  string = "two\nlines \"quoted\" \\ \t"; empty = "";
  list = [ 1 "two" [ "three" null ] true ]; emptyList = [ ];
  file = ./files/plain.txt; toStringSet = { __toString = _: "ts"; }; outPathSet = { outPath = "op"; };
  "odd name" = 1; "ä" = "ä";
}; in [ drv.drvPath drv.outPath ]
