# Everything that our flake gives, as one value. What it is depends on the sources, so it is compared
# between evaluators, not with a file.
let
  inherit (import ./expect/common) nixos-bootstrap nixpkgs;
  inherit (nixpkgs) lib;
  drvPaths = lib.mapAttrs (_: lib.mapAttrs (_: drv: drv.drvPath));
in
{
  inherit (nixos-bootstrap) apps;
  packages = drvPaths nixos-bootstrap.packages;
  devShells = drvPaths nixos-bootstrap.devShells;
  checks = drvPaths nixos-bootstrap.checks;
  formatter = lib.mapAttrs (_: drv: drv.drvPath) nixos-bootstrap.formatter;
  nixosModules = lib.mapAttrs (_: toString) nixos-bootstrap.nixosModules;
  templates = lib.mapAttrs (_: template: template // { path = toString template.path; }) nixos-bootstrap.templates;
  lib = lib.mapAttrs (_: builtins.functionArgs) nixos-bootstrap.lib;
  overlay =
    (import nixpkgs.outPath {
      system = "x86_64-linux";
      overlays = [ nixos-bootstrap.overlays.default ];
    }).nixos-bootstrap.drvPath;
}
