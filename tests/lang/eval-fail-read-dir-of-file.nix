builtins.readDir ./eval-fail-read-dir-of-file.nix
