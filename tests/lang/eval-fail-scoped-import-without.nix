builtins.scopedImport { } ./files/scoped.nix
