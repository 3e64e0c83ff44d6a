let set = builtins.mapAttrs (name: value: set.a) { a = 1; }; in set.a
