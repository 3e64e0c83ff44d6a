# The functions that the flake gives to others, as `lib`.
{
  nixpkgs,
  disko,
  modules,
  packages,
  systems,
}:
let
  inherit (nixpkgs) lib;
  paths = import ./paths.nix { inherit lib; };
in
paths
// import ./vars.nix { inherit lib; }
// import ./hosts.nix {
  inherit
    lib
    nixpkgs
    paths
    modules
    systems
    ;
}
// import ./minimal.nix {
  inherit
    lib
    nixpkgs
    disko
    modules
    ;
}
// import ./apps.nix { inherit lib packages; }
