# The tool as a package and apps, and what other flakes take from here: modules, functions, a template.
{
  description = "Turns a machine that has booted an installer into a fully configured NixOS host";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    disko = {
      url = "github:nix-community/disko";
      inputs.nixpkgs.follows = "nixpkgs";
    };
    # For `--engine nixos-anywhere`. Its inputs are for its own tests, so its source is enough.
    nixos-anywhere = {
      url = "github:nix-community/nixos-anywhere";
      flake = false;
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      disko,
      nixos-anywhere,
    }:
    let
      inherit (nixpkgs) lib;

      # What a host or an installer image may be.
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      # Where the program runs: hosts can be installed from a Mac as well.
      sources = systems ++ [
        "x86_64-darwin"
        "aarch64-darwin"
      ];

      forEach = list: f: lib.genAttrs list (system: f nixpkgs.legacyPackages.${system});
      forSources = forEach sources;
      packageFor =
        pkgs:
        pkgs.callPackage ./nix/package.nix {
          nixos-anywhere = pkgs.callPackage (nixos-anywhere + "/src") { };
        };
    in
    {
      packages = forSources (pkgs: rec {
        nixos-bootstrap = packageFor pkgs;
        default = nixos-bootstrap;
      });

      apps = self.lib.mkApps { };

      overlays.default = final: _: { nixos-bootstrap = packageFor final; };

      nixosModules = import ./modules;

      lib = import ./lib {
        inherit nixpkgs disko;
        inherit (self) packages;
        modules = self.nixosModules;
        inherit systems;
      };

      templates.default = {
        path = ./templates/default;
        description = "A nix-config with three hosts, to be installed with nixos-bootstrap";
        welcomeText = ''
          Your nix-config is here. `README.md` says what is where, and the first steps: where
          nixos-bootstrap comes from, your SSH key, the disks of your hosts.
        '';
      };

      checks = forEach systems (
        pkgs:
        import ./nix/checks.nix {
          inherit self pkgs disko;
          package = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
        }
      );

      devShells = forSources (pkgs: {
        default = pkgs.callPackage ./nix/shell.nix {
          package = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
        };
      });

      # Its name has changed with the releases.
      formatter = forSources (pkgs: pkgs.nixfmt-tree or pkgs.nixfmt-rfc-style);
    };
}
