# The small flake: hosts as they are first installed, and the installer image. A small system is
# copied to a new machine faster, and does without secrets, which need the machine's own key.
#
# The hosts come from the flake above, as an input, so there is no second list of them. `path:..`
# stays in the same repository, so there is nothing to lock or to update. It takes Nix 2.26 or newer.
{
  description = "Minimal installations of my machines, and the installer image";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    disko = {
      url = "github:nix-community/disko";
      inputs.nixpkgs.follows = "nixpkgs";
    };
    nixos-bootstrap = {
      url = "github:FILL_IN/nixos-bootstrap";
      inputs.nixpkgs.follows = "nixpkgs";
      inputs.disko.follows = "disko";
    };
    nix-config = {
      url = "path:..";
      inputs.nixpkgs.follows = "nixpkgs";
      inputs.disko.follows = "disko";
      inputs.nixos-bootstrap.follows = "nixos-bootstrap";
    };
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
