# The full configurations of all hosts. The small ones that a machine is first installed with are
# in nixos-installer/flake.nix.
{
  description = "NixOS configurations of my machines";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    disko = {
      url = "github:nix-community/disko";
      inputs.nixpkgs.follows = "nixpkgs";
    };
    nixos-bootstrap = {
      # Write here where you have nixos-bootstrap from, and the same in nixos-installer/flake.nix.
      url = "github:FILL_IN/nixos-bootstrap";
      # One nixpkgs and one disko for everything.
      inputs.nixpkgs.follows = "nixpkgs";
      inputs.disko.follows = "disko";
    };
  };

  outputs =
    { nixos-bootstrap, ... }@inputs:
    {
      # Every folder of hosts/ but common/ is a host: a new folder is a new host.
      nixosConfigurations = nixos-bootstrap.lib.mkHosts {
        inherit inputs;
        root = ./.;
        # What modules get as the argument `configVars`. Add what many of your modules need.
        vars = nixos-bootstrap.lib.mkVars { username = "ta"; };
      };

      # `nix run .#bootstrap -- grief` and `nix run .#iso -- /dev/sdX`.
      apps = nixos-bootstrap.lib.mkApps { };
    };
}
