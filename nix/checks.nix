# What `nix flake check` builds: the program, its lints and unit tests, the modules, their page, and
# a whole installation on virtual machines.
{
  self,
  pkgs,
  disko,
  package,
}:
let
  inherit (pkgs) lib;
  inherit (pkgs.stdenv.hostPlatform) system;

  # The same sources and dependencies, with another cargo command in place of the build.
  cargo =
    name: command: inputs:
    package.overrideAttrs (old: {
      pname = "nixos-bootstrap-${name}";
      nativeBuildInputs = old.nativeBuildInputs ++ inputs;
      buildPhase = command;
      installPhase = "touch $out";
      postInstall = "";
      dontFixup = true;
    });

  host = self.inputs.nixpkgs.lib.nixosSystem {
    modules = [
      disko.nixosModules.disko
      self.nixosModules.disks-btrfs-luks
      self.nixosModules.user
      {
        nixpkgs.hostPlatform = system;
        networking.hostName = "check";
        boot.loader.systemd-boot.enable = true;
        bootstrap.user = "ta";
        bootstrap.account.keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpuP4Ez7n7RAsxWk7lpuF3iWrqpY3PPs7wz4HqHb0mD ta" ];
        bootstrap.disk = {
          device = "/dev/vda";
          swapSize = 8;
        };
        system.stateVersion = lib.trivial.release;
      }
    ];
  };
  evaluated = {
    full = host.config.system.build.toplevel.drvPath;
    minimal = (self.lib.mkMinimal { inherit host; }).config.system.build.toplevel.drvPath;
    iso =
      (self.lib.mkIso {
        inherit system;
        hosts = { inherit host; };
      }).config.system.build.isoImage.drvPath;
  };
in
{
  inherit package;

  clippy = cargo "clippy" "cargo clippy --release --all-targets --offline -- --deny warnings" [ pkgs.clippy ];

  # The integration tests want a real Nix, an SSH server and loop devices: `scripts/test` has them.
  tests = cargo "tests" "cargo test --release --lib --offline" package.runtimeInputs;

  # That they evaluate is the check: what they would build is not built.
  modules = pkgs.writeText "modules-evaluated" (
    builtins.unsafeDiscardStringContext (builtins.toJSON evaluated)
  );

  options-doc =
    pkgs.runCommand "options-doc"
      {
        page = import ./options-doc.nix { inherit (pkgs) lib; };
        passAsFile = [ "page" ];
      }
      ''
        diff ${../docs/options.md} "$pagePath"
        touch "$out"
      '';

  bootstrap = import ./vm-test {
    inherit
      self
      pkgs
      disko
      package
      ;
  };
}
