# An installer image that has disko, but no disk: disko's scripts are there and throw.
let
  inherit (import ./lib.nix) derivation;
in
{
  # Asked for the platform only where the options don't say it.
  pkgs.stdenv.hostPlatform.system = "aarch64-linux";
  config = {
    networking.hostName = "nixos";
    disko.devices = {
      disk = { };
      lvm_vg = { };
    };
    system.build = {
      toplevel = derivation "nixos-system-image";
      isoImage = derivation "nixos.iso";
      diskoScript = throw "No disks defined";
      mountScript = throw "No disks defined";
    };
    users.users = {
      nixos.isNormalUser = true;
      root = { };
    };
  };
}
