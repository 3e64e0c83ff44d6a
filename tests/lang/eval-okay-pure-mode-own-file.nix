let fetchurl = import <nix/fetchurl.nix>; in [ (builtins.isFunction fetchurl) (builtins.pathExists <nix/fetchurl.nix>) ]
