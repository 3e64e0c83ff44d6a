# The full configurations of all hosts. The small ones that a machine is first installed with are
# in nixos-installer/flake.nix.
{
  description = "NixOS configurations of my machines";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";
    disko = {
      url = "github:nix-community/disko";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    { self, nixpkgs, ... }@inputs:
    let
      inherit (self) outputs;
      inherit (nixpkgs) lib;
      configVars = import ./vars { inherit inputs lib; };
      configLib = import ./lib { inherit lib; };

      # Every folder of hosts/ but the shared one is a host: a new folder is a new host.
      hostNames = builtins.attrNames (
        lib.filterAttrs (name: type: type == "directory" && name != "common") (builtins.readDir ./hosts)
      );

      # Handed to every module, and usable in its imports, unlike what _module.args has.
      specialArgs = {
        inherit
          inputs
          outputs
          configLib
          configVars
          ;
      };
    in
    {
      nixosConfigurations = lib.genAttrs hostNames (
        name:
        lib.nixosSystem {
          inherit specialArgs;
          modules = [
            ./hosts/${name}
            { networking.hostName = name; }
          ];
        }
      );

      # For nixos-installer/, which builds the same hosts in small.
      lib = {
        inherit configLib configVars hostNames;
      };
    };
}
