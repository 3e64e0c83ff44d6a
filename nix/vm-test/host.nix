# The host of the test. Evaluated outside of the machines and in one of them, which must give the very
# same system: so all that differs between hosts comes as `settings`.
{
  nixpkgs,
  disko,
  nixos-bootstrap,
  settings,
}:
import (nixpkgs + "/nixos/lib/eval-config.nix") {
  system = null;
  modules = [
    (disko + "/module.nix")
    (nixos-bootstrap + "/modules/disks-btrfs.nix")
    (nixos-bootstrap + "/modules/user.nix")
    (nixpkgs + "/nixos/modules/profiles/qemu-guest.nix")
    {
      nixpkgs.hostPlatform = settings.system;
      networking.hostName = "target";
      # As the driver sets up the installer.
      networking.usePredictableInterfaceNames = false;
      networking.interfaces.eth1.ipv4.addresses = [
        {
          inherit (settings) address;
          prefixLength = 24;
        }
      ];
      boot.loader.systemd-boot.enable = true;
      boot.loader.efi.canTouchEfiVariables = true;
      services.openssh.enable = true;
      bootstrap = {
        user = "ta";
        account.keys = [ settings.key ];
        disk = {
          device = "/dev/vdb";
          swapSize = 1;
        };
        # Written, but not imported: with another hardware file it would be another system.
        hardware.file = "hosts/target/hardware.nix";
      };
      documentation.enable = false;
      system.stateVersion = settings.release;
    }
  ];
}
