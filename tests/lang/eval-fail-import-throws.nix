(import ./files/throws.nix).throws
