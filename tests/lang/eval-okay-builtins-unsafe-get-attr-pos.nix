with builtins; let
  set = { a = 1;
    b = 2; inherit (set2) c; };
  set2 = { c = 3; };
  pos = n: s: let p = unsafeGetAttrPos n s; in if p == null then null else p // { file = baseNameOf p.file; };
  x = 1;
in {
  a = pos "a" set;
  b = pos "b" set;
  inheritedFrom = pos "c" set;
  inherited = pos "x" { inherit x; };
  missing = pos "nope" set;
  nested = pos "y" { x.y = 1; }.x;
  nestedOuter = pos "x" { x.y = 1; };
  updated = pos "a" ({ z = 1; } // set);
  removed = pos "a" (removeAttrs set [ "b" ]);
  mapped = pos "a" (mapAttrs (n: v: v) set);
  listed = pos "a" (listToAttrs [ { name = "a"; value = 1; } ]);
  intersected = pos "a" (intersectAttrs { a = 0; } set);
  dynamic = pos "dyn" { ${"d" + "yn"} = 1; };
  quoted = pos "q q" { "q q" = 1; };
  functionArgs = pos "arg" (functionArgs ({ arg, other ? 1 }: arg));
  zipped = pos "a" (zipAttrsWith (n: v: v) [ set ]);
  grouped = pos "k" (groupBy (x: "k") [ 1 ]);
  recursive = pos "r" (rec { s = r; r = 1; });
  fromImport = pos "here" (import ./files/position.nix);
  fromJSON = pos "a" (fromJSON "{\"a\":1}");
  builtin = pos "add" builtins;
}
