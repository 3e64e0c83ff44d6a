# The order of a list's items: later modules first, imports before the importer, then mkBefore and
# mkAfter, wherever they are written.
let
  common = import ./common;
  inherit (common) lib;
in
common.values [
  {
    options.list = lib.mkOption { type = lib.types.listOf lib.types.str; };
    options.lines = lib.mkOption { type = lib.types.lines; };
  }
  {
    imports = [
      {
        list = [ "imported" ];
        lines = "imported";
      }
    ];
    list = [ "importer" ];
    lines = "importer";
  }
  {
    list = lib.mkAfter [ "after" ];
    lines = lib.mkBefore "before";
  }
  {
    list = [
      "last module, first item"
      "last module, second item"
    ];
    lines = "last module";
  }
  { list = lib.mkBefore [ "before" ]; }
  { list = lib.mkOrder 1400 [ "1400" ]; }
]
