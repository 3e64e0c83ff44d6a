builtins.scopedImport 1 ./files/scoped.nix
