import ./files/none.nix
