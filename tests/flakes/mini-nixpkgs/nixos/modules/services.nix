{ lib, ... }:
let
  inherit (lib) mkEnableOption mkOption types;
in
{
  options.services = {
    qemuGuest.enable = mkEnableOption "the QEMU guest agent";
    spice-vdagentd.enable = mkEnableOption "the Spice agent";
    udev.extraRules = mkOption {
      type = types.lines;
      default = "";
      description = "Rules of udev.";
    };
    getty = {
      autologinUser = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The user that the consoles log in by themselves.";
      };
      helpLine = mkOption {
        type = types.lines;
        default = "";
        description = "What the consoles show above the login.";
      };
    };
    resolved.enable = mkEnableOption "systemd-resolved";
    timesyncd.enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the clock follows a time server.";
    };
    fstrim.enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether disks are trimmed regularly.";
    };
    btrfs.autoScrub.enable = mkEnableOption "regular checks of btrfs file systems";
    zfs.autoScrub.enable = mkEnableOption "regular checks of ZFS pools";
    fwupd.enable = mkEnableOption "firmware updates";
    avahi = {
      enable = mkEnableOption "names of the local network";
      publish = {
        enable = mkEnableOption "telling others";
        addresses = mkEnableOption "telling others this machine's addresses";
        userServices = mkEnableOption "telling others what programs of this machine ask for";
      };
    };
    tailscale.enable = mkEnableOption "Tailscale";
    journald.extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Lines for journald.conf.";
    };
    xserver = {
      enable = mkEnableOption "the graphical session";
      videoDrivers = mkOption {
        type = types.listOf types.str;
        default = [ "modesetting" ];
        description = "Drivers of graphics cards.";
      };
    };
  };
}
