# The small flake: hosts as they are first installed, and the installer image. A small system is
# copied to a new machine faster, and does without secrets, which need the machine's own key.
#
# To use it, copy this folder into your own repository: the hosts come from the flake above, as an
# input, so there is no second list of them. Of nixos-bootstrap it uses modules and functions; write
# into `nixos-bootstrap.url` where you have that from. `path:..` stays in the same repository and
# takes Nix 2.26 or newer.
{
  description = "Minimal installations of my machines, and the installer image";

  inputs = {
    nixos-bootstrap.url = "path:..";
    nixpkgs.follows = "nixos-bootstrap/nixpkgs";
    disko.follows = "nixos-bootstrap/disko";
    nix-config.url = "path:..";
  };

  outputs =
    {
      nixpkgs,
      nixos-bootstrap,
      nix-config,
      ...
    }:
    let
      hosts = nix-config.nixosConfigurations or { };
    in
    {
      nixosConfigurations =
        # The same disks, swap, boot and keys as the host's own configuration, and little else.
        builtins.mapAttrs (
          name: host:
          nixos-bootstrap.lib.mkMinimal {
            inherit name host;
            modules = [ ./minimal-configuration.nix ];
          }
        ) hosts
        // {
          # nixos-bootstrap iso
          iso = nixos-bootstrap.lib.mkIso {
            inherit nixpkgs hosts;
            modules = [ ./iso ];
          };
        };
    };
}
