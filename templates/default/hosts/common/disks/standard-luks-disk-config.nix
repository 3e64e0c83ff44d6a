# As standard-disk-config.nix, but all except the boot partition is encrypted.
{
  lib,
  disk,
  withSwap,
  swapSize,
  configVars,
  ...
}:
{
  disko.devices.disk.disk0 = {
    type = "disk";
    device = disk;
    content = {
      type = "gpt";
      partitions = {
        ESP = {
          priority = 1;
          start = "1M";
          end = "512M";
          type = "EF00";
          content = {
            type = "filesystem";
            format = "vfat";
            mountpoint = "/boot";
            mountOptions = [ "umask=0077" ];
          };
        };
        luks = {
          size = "100%";
          content = {
            type = "luks";
            name = "encrypted-root";
            # A file on the installer, in memory only. The bootstrap puts the passphrase there.
            passwordFile = "/tmp/disko-password";
            # TRIM shows which blocks are free, and keeps an SSD fast.
            settings.allowDiscards = true;
            content = import ./btrfs.nix { inherit lib withSwap swapSize configVars; };
          };
        };
      };
    };
  };

  fileSystems.${configVars.persistFolder}.neededForBoot = true;
}
