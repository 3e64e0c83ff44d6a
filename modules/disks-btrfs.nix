# A disk with an EFI system partition of 512M and btrfs on the rest: the subvolumes @root, @persist,
# @nix, and @swap with a swap file.
{
  imports = [
    (import ./disks/standard.nix {
      layout = "btrfs";
      rest =
        { btrfs, ... }:
        {
          root = {
            size = "100%";
            content = btrfs;
          };
        };
    })
  ];
}
