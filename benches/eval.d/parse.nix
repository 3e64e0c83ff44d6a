# Parsing: 2,000 files of packages' size. Each is a function, so that importing it only parses it.
{ tree }:
let
  folder = /. + tree;
  files = name: map (file: folder + "/${name}/${file}") (builtins.attrNames (builtins.readDir (folder + "/${name}")));
  all = builtins.concatMap files (builtins.attrNames (builtins.readDir folder));
in
builtins.length (builtins.filter (file: builtins.isFunction (import file)) all)
