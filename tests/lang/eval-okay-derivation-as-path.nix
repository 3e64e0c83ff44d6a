with builtins; let d = derivation { name = "p"; system = "s"; builder = "b"; }; in {
  concat = d + "/bin";
  toString = toString d;
  list = toString [ d d ];
  json = toJSON { inherit d; };
  baseName = baseNameOf d;
  inList = elem d [ d ];
  isAttrs = isAttrs d;
  rename = "${d // { outPath = "elsewhere"; }}";
}
