# A virtual machine without swap.
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

  # The last console named is /dev/console: messages of the boot go to the serial line as well.
  boot.kernelParams = [
    "console=tty0"
    "console=ttyS0"
  ];

  # The release of the first installation. Leave it when you upgrade.
  system.stateVersion = "24.05";
}
