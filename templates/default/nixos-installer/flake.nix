# The hosts in small, for their first installation, and the installer image. A small system is
# copied to the new machine faster, and does without secrets, which need the machine's own key.
#
# The hosts come from the flake above as an input, not through `../`: what this flake uses of it is
# then seen in one place, and it works wherever the flake is fetched from. `path:..` stays in the
# same repository, so there is nothing to lock or to update. It takes Nix 2.26 or newer.
{
  description = "Minimal installations of my machines, and the installer image";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";
    disko = {
      url = "github:nix-community/disko";
      inputs.nixpkgs.follows = "nixpkgs";
    };
    nix-config = {
      url = "path:..";
      inputs.nixpkgs.follows = "nixpkgs";
      inputs.disko.follows = "disko";
    };
  };

  outputs =
    { self, nixpkgs, nix-config, ... }@inputs:
    let
      inherit (self) outputs;
      inherit (nixpkgs) lib;
      inherit (nix-config.lib) configLib hostNames;

      specialArgs = {
        inherit inputs outputs configLib;
        configVars = lib.recursiveUpdate nix-config.lib.configVars { isMinimal = true; };
      };

      minimal =
        name:
        lib.nixosSystem {
          inherit specialArgs;
          modules = [
            # Derived from the host: its disk, its hardware, and nothing else of it.
            (configLib.relativeToRoot "hosts/${name}/disks.nix")
            (configLib.relativeToRoot "hosts/${name}/hardware-configuration.nix")
            ./minimal-configuration.nix
            { networking.hostName = name; }
          ];
        };
    in
    {
      nixosConfigurations = lib.genAttrs hostNames minimal // {
        # nix build ./nixos-installer#nixosConfigurations.iso.config.system.build.isoImage
        iso = lib.nixosSystem {
          inherit specialArgs;
          modules = [
            "${nixpkgs}/nixos/modules/installer/cd-dvd/installation-cd-minimal.nix"
            ./iso
          ];
        };
      };
    };
}
