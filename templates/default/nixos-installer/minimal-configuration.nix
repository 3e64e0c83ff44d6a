# The least that a host needs to boot from its own disk and to be reached.
{
  pkgs,
  configLib,
  configVars,
  ...
}:
{
  imports = map configLib.relativeToRoot [
    "hosts/common/core/boot.nix"
    "hosts/common/core/nix.nix"
    "hosts/common/core/ssh.nix"
    "hosts/common/users/${configVars.username}"
  ];

  # A machine that waits for its full configuration needs few generations to go back to.
  boot.loader.systemd-boot.configurationLimit = 2;

  # What the next steps use on the machine.
  environment.systemPackages = [
    pkgs.git
    pkgs.rsync
  ];

  system.stateVersion = "24.05";
}
