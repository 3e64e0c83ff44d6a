# The flake in the test's machine. The stores of both have these inputs; the test fills in their paths.
{
  inputs = {
    nixpkgs = {
      url = "path:@nixpkgs@";
      flake = false;
    };
    disko = {
      url = "path:@disko@";
      flake = false;
    };
    nixos-bootstrap = {
      url = "path:@nixos-bootstrap@";
      flake = false;
    };
  };

  outputs =
    {
      nixpkgs,
      disko,
      nixos-bootstrap,
      ...
    }:
    {
      nixosConfigurations.target = import ./host.nix {
        inherit nixpkgs disko nixos-bootstrap;
        settings = builtins.fromJSON (builtins.readFile ./settings.json);
      };
    };
}
