# The modules by the names under which the flake has them.
{
  default = ./bootstrap.nix;
  bootstrap = ./bootstrap.nix;
  disks-btrfs = ./disks-btrfs.nix;
  disks-btrfs-luks = ./disks-btrfs-luks.nix;
  minimal = ./minimal.nix;
  iso = ./iso.nix;
  user = ./user.nix;
}
