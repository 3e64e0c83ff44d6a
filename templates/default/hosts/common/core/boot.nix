{ lib, ... }:
{
  boot.loader.systemd-boot = {
    enable = true;
    configurationLimit = lib.mkDefault 10;
  };
  boot.loader.efi.canTouchEfiVariables = true;
  # Opens encrypted disks with systemd's tools, and mounts btrfs subvolumes in the right order.
  boot.initrd.systemd.enable = true;

  # On the screen and on the serial line, where virtual machines and servers are watched.
  # A passphrase is asked for on both.
  boot.kernelParams = [
    "console=tty0"
    "console=ttyS0"
  ];
}
