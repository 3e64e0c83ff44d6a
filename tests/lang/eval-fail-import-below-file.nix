import ./eval-fail-import-below-file.nix/x.nix
