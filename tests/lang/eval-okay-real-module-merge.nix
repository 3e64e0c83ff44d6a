# A small module system: options collected over a closure of imports, merged lazily.
let
  collect = root: map (x: x.module) (builtins.genericClosure {
    startSet = [ { key = root.name; module = root; } ];
    operator = x: map (m: { key = m.name; module = m; }) (x.module.imports or [ ]);
  });
  a = { name = "a"; imports = [ b c ]; config = cfg: { words = [ "a" ]; port = 80; url = "http://h:${toString cfg.port}"; }; };
  b = { name = "b"; imports = [ c ]; config = cfg: { words = [ "b" ]; enable = cfg.port < 100; }; };
  c = { name = "c"; config = cfg: { words = [ "c" ]; }; };
  merge = name: values: if builtins.isList (builtins.head values) then builtins.concatLists values else builtins.head values;
  config = builtins.zipAttrsWith merge (map (m: m.config config) (collect a));
in config
