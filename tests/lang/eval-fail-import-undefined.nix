import ./files/undefined.nix
