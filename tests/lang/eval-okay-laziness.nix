let boom = throw "forced"; in {
  unusedBinding = let x = boom; in 1;
  unusedArgument = (x: 2) boom;
  listLength = builtins.length [ boom boom ];
  headOfList = builtins.head [ 3 boom ];
  setNames = builtins.attrNames { a = boom; };
  selected = { a = 4; b = boom; }.a;
  mapped = builtins.length (map (x: boom) [ 1 2 ]);
  mappedSet = builtins.attrNames (builtins.mapAttrs (n: v: boom) { a = boom; });
  genList = builtins.length (builtins.genList (i: boom) 3);
  interpolationNotTaken = if false then "${boom}" else "x";
  argumentOfConst = builtins.seq 1 5;
  typeOfList = builtins.typeOf [ boom ];
  concat = builtins.length (builtins.concatLists [ [ boom ] [ boom ] ]);
  listToAttrs = builtins.attrNames (builtins.listToAttrs [ { name = "a"; value = boom; } ]);
  updateValues = builtins.attrNames ({ a = boom; } // { b = boom; });
  zip = builtins.attrNames (builtins.zipAttrsWith (n: v: boom) [ { a = boom; } ]);
  foldStart = builtins.foldl' (a: b: b) boom [ 6 ];
  groupBy = builtins.mapAttrs (n: builtins.length) (builtins.groupBy (x: "k") [ boom boom ]);
}
