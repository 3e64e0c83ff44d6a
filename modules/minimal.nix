# What a small first installation has, whatever the host: it is reached by SSH with a key, and has
# what the next steps use. Its disks and its boot come from the host.
{ lib, pkgs, ... }:
{
  imports = [ ./bootstrap.nix ];

  bootstrap.isMinimal = true;

  services.openssh = {
    enable = true;
    settings = {
      PermitRootLogin = "prohibit-password";
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
    };
  };
  # There are no passwords here, hence none to ask for.
  security.sudo.wheelNeedsPassword = lib.mkDefault false;

  # A machine that waits for its full configuration needs few generations to go back to.
  boot.loader.systemd-boot.configurationLimit = lib.mkDefault 2;

  services.qemuGuest.enable = lib.mkDefault true;

  # What the next steps use on the machine.
  environment.systemPackages = [
    pkgs.git
    pkgs.rsync
  ];
  nix.settings.experimental-features = [
    "nix-command"
    "flakes"
  ];

  # Nobody reads manuals here, and they take their time to build.
  documentation.enable = lib.mkDefault false;
}
