# mkApps: for all platforms, and for those that are named.
let
  inherit ((import ./common).nixos-bootstrap) apps lib packages;
  program = app: app.program;
in
{
  platforms = builtins.mapAttrs (_: builtins.attrNames) apps;
  named = builtins.mapAttrs (_: builtins.attrNames) (lib.mkApps { systems = [ "aarch64-linux" ]; });
  kind = apps.x86_64-linux.bootstrap.type;
  ofThePackage =
    program apps.x86_64-linux.iso == "${packages.x86_64-linux.default}/bin/nixos-bootstrap-iso";
  first = program apps.x86_64-linux.default == program apps.x86_64-linux.bootstrap;
}
