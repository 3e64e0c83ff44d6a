import ./files/cyclic/a.nix
