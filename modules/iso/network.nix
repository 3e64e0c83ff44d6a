# How the installer makes itself known: on the local network, and on its own screen.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.bootstrap.iso;

  # What a service of this image has in common with the others.
  shown = name: path: {
    after = [
      "network.target"
      "sshd.service"
    ];
    wantedBy = [ "multi-user.target" ];
    inherit path;
    script = builtins.readFile (./. + "/${name}.sh");
    serviceConfig = {
      Restart = "always";
      RestartSec = 3;
    };
  };
in
{
  services.avahi = {
    enable = lib.mkDefault true;
    publish = {
      enable = lib.mkDefault true;
      addresses = lib.mkDefault true;
      # Without it, the daemon takes no services from others.
      userServices = lib.mkDefault cfg.announce;
    };
  };

  systemd.services.nixos-installer-announce = lib.mkIf cfg.announce (
    shown "announce" [
      pkgs.avahi
      pkgs.coreutils
      pkgs.openssh
      pkgs.util-linux
    ]
    // {
      description = "Announcement of the installer on the local network";
      requires = [ "avahi-daemon.service" ];
      after = [
        "avahi-daemon.service"
        "sshd.service"
      ];
    }
  );

  systemd.services.nixos-installer-console =
    shown "console" [
      pkgs.coreutils
      pkgs.gawk
      pkgs.gnugrep
      pkgs.iproute2
      pkgs.openssh
      pkgs.qrencode
    ]
    // {
      description = "Addresses of the installer on its consoles";
    };
}
