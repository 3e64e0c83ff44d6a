# The disk of this host. Both the full configuration and the one of nixos-installer/ import this
# file, so that what is installed and what is run later never disagree.
{ inputs, configLib, ... }:
{
  imports = [
    inputs.disko.nixosModules.disko
    (configLib.relativeToRoot "hosts/common/disks/standard-luks-disk-config.nix")
  ];

  _module.args = {
    # Names like /dev/disk/by-id/… stay the same when disks are added; look there on the machine.
    disk = "/dev/sda";
    withSwap = true;
    # GiB, as text.
    swapSize = "8";
  };
}
