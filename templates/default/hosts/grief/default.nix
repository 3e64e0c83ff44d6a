# A virtual machine with one disk and a swap file.
{ configLib, configVars, ... }:
{
  imports = [
    ./disks.nix
    ./hardware-configuration.nix
  ]
  ++ map configLib.relativeToRoot [
    "hosts/common/core"
    "hosts/common/users/${configVars.username}"
  ];

  # The release of the first installation. Leave it when you upgrade.
  system.stateVersion = "26.05";
}
