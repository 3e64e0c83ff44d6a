# The disk of this host. The minimal configuration of nixos-installer/ is derived from the host, so
# that what is installed and what is run later never disagree.
{ inputs, ... }:
{
  imports = [
    inputs.disko.nixosModules.disko
    inputs.nixos-bootstrap.nixosModules.disks-btrfs
  ];

  bootstrap.disk = {
    # Everything on this disk will be lost. Names like /dev/disk/by-id/… stay the same when disks are
    # added; look there on the machine.
    device = "/dev/vda";
    # No swap: there is no swapSize.
  };
}
