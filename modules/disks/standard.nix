# One disk: an EFI system partition, and one partition for the rest. `layout` is the name of the
# layout, `rest` makes the other partition's attributes from the btrfs file system.
{ layout, rest }:
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.bootstrap.disk;

  mountOptions = [
    "compress=zstd"
    "noatime"
  ];

  btrfs = {
    type = "btrfs";
    # Overwrites what was on the partition.
    extraArgs = [ "-f" ];
    subvolumes = {
      "@root" = {
        mountpoint = "/";
        inherit mountOptions;
      };
      "@persist" = {
        mountpoint = cfg.persistMountPoint;
        inherit mountOptions;
      };
      "@nix" = {
        mountpoint = "/nix";
        inherit mountOptions;
      };
      # A subvolume of its own: snapshots of the others must not hold a swap file.
      "@swap" = lib.mkIf cfg.withSwap {
        mountpoint = "/.swapvol";
        swap.swapfile.size = swapSize;
      };
    };
  };

  # These throw where they are used, since the installation reads the layout without the assertions.
  swapSize =
    if cfg.swapSize == null || cfg.swapSize == 0 then
      throw "bootstrap.disk.withSwap is true, but there is no size: set bootstrap.disk.swapSize to a number of GiB, such as 8, or bootstrap.disk.withSwap to false."
    else
      "${toString cfg.swapSize}G";
  device =
    if cfg.device == null then
      throw "bootstrap.disk.device is not set: it must be the disk to install on, such as \"/dev/disk/by-id/…\" (on the machine, `ls -l /dev/disk/by-id` lists them)."
    else
      # Asks for the layout, so that a host which imports two of them is refused.
      builtins.seq cfg.layout cfg.device;
in
{
  imports = [ ./options.nix ];

  config =
    if !(options ? disko) then
      throw "the disk layout ${layout} needs disko: add inputs.disko.nixosModules.disko to the imports of this host."
    else
      {
        bootstrap.disk.layout = layout;
        disko.devices.disk.disk0 = {
          type = "disk";
          inherit device;
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
            }
            // rest { inherit config btrfs; };
          };
        };
        fileSystems.${cfg.persistMountPoint}.neededForBoot = true;
      };
}
