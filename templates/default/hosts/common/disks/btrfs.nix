# The btrfs file system that all disk layouts have. Not a module: it is the value of a `content`.
{
  lib,
  withSwap,
  swapSize,
  configVars,
}:
let
  mountOptions = [
    "compress=zstd"
    "noatime"
  ];
in
{
  type = "btrfs";
  # Overwrites what was on the partition.
  extraArgs = [ "-f" ];
  subvolumes = {
    "@root" = {
      mountpoint = "/";
      inherit mountOptions;
    };
    "@persist" = {
      mountpoint = configVars.persistFolder;
      inherit mountOptions;
    };
    "@nix" = {
      mountpoint = "/nix";
      inherit mountOptions;
    };
    # A subvolume of its own: snapshots of the others must not hold a swap file.
    "@swap" = lib.mkIf withSwap {
      mountpoint = "/.swapvol";
      swap.swapfile.size = "${swapSize}G";
    };
  };
}
