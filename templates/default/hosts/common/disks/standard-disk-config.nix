# One disk: a partition to boot from, and btrfs on the rest with a subvolume for each part of the
# system that is kept or thrown away by itself.
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
            # vfat knows no owners: without this everybody could read the boot secrets.
            mountOptions = [ "umask=0077" ];
          };
        };
        root = {
          size = "100%";
          content = import ./btrfs.nix { inherit lib withSwap swapSize configVars; };
        };
      };
    };
  };

  fileSystems.${configVars.persistFolder}.neededForBoot = true;
}
