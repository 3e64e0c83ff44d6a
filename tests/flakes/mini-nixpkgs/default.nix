# `import nixpkgs { … }`, as with the real one.
{
  system ? builtins.currentSystem,
  config ? { },
  overlays ? [ ],
  ...
}:
import ./pkgs {
  inherit system config overlays;
  lib = import ./lib;
}
