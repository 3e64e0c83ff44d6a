# A small nixpkgs: its `lib`, its module system, the NixOS options that a small machine uses, and
# packages that stand for Debian's programs. Written for tests on machines without a NixOS binary
# cache; a configuration that evaluates here is meant to evaluate with the real nixpkgs too.
#
# What it can't do: compile anything. The packages link to /usr/bin of the machine that they are
# used on, and the system that `toplevel` builds runs on Debian's kernel and userland, which come
# as the fixed-output store paths of payload.json.
{
  description = "Small stand-in for nixpkgs, for tests";

  inputs = { };

  outputs =
    { self }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      baseLib = import ./lib;
      lib = baseLib // {
        nixosSystem =
          args:
          import ./nixos/lib/eval-config.nix (
            {
              inherit lib;
              # Unset, so that nixpkgs.hostPlatform of the configuration decides.
              system = null;
            }
            // args
          );
      };
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs systems (system: import ./pkgs { inherit lib system; });
      nixosModules = {
        notDetected = ./nixos/modules/installer/scan/not-detected.nix;
      };
    };
}
