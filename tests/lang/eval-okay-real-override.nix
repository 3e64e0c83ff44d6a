let
  makeOverridable = f: args: f args // { override = new: makeOverridable f (args // (if builtins.isFunction new then new args else new)); };
  package = makeOverridable ({ name, version ? "1", deps ? [ ] }: { inherit name version; full = "${name}-${version}"; count = builtins.length deps; }) { name = "p"; };
in map (p: [ p.full p.count ]) [ package (package.override { version = "2"; }) ((package.override { version = "3"; }).override (old: { deps = [ old.name old.version ]; })) ]
