# The tool as apps of another flake.
{ lib, packages }:
let
  supported = lib.attrNames packages;

  app = package: subcommand: description: {
    type = "app";
    program = "${package}/bin/nixos-bootstrap-${subcommand}";
    meta = { inherit description; };
  };

  appsOf =
    package:
    let
      bootstrap = app package "bootstrap" "Turn a machine that has booted an installer into a host of this flake";
    in
    {
      inherit bootstrap;
      default = bootstrap;
      iso = app package "iso" "Build the installer image and write it to a USB stick";
    };
in
{
  /**
    The apps `bootstrap`, `iso` and `default` for a flake of your own, so that
    `nix run .#bootstrap -- grief` works there.

    # Inputs

    `systems`
    : The platforms that the apps are for; all that there are.

    # Example

    ```nix
    apps = nixos-bootstrap.lib.mkApps { };
    ```

    # Type

    ```
    mkApps :: AttrSet -> { ${system} :: { ${name} :: App } }
    ```
  */
  mkApps =
    {
      systems ? supported,
    }:
    lib.genAttrs systems (
      system:
      if packages ? ${system} then
        appsOf packages.${system}.default
      else
        throw "mkApps: nixos-bootstrap does not run on ${system}; it can be ${lib.concatStringsSep ", " supported}"
    );
}
