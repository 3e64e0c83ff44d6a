let k = "key"; n = null; in {
  plain = { ${k} = 1; };
  interpolated = { "${k}-x" = 2; "a${k}" = 3; };
  nullIsSkipped = { ${n} = throw "skipped"; a = 1; };
  path = { a.${k}.b = 4; };
  several = { a.${k} = 5; a.b = 6; };
  select = { key = 7; }.${k};
  has = [ ({ key = 1; } ? ${k}) ({ } ? ${k}) ({ a.key = 1; } ? a.${k}) ];
  static = { ${"literal"} = 8; };
  computed = { ${if true then "yes" else "no"} = 9; };
  inRec = rec { ${k} = 10; a = 11; b = a; };
  fromPathName = { ${toString 1} = 12; };
  nested = { ${k}.${k} = 13; };
  nullNested = { ${n}.x = 1; b.${n} = 2; };
}
