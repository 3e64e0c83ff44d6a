# The options of the installer image.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  imports = [ ./bootstrap.nix ];

  options.bootstrap.iso = {
    announce = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether the installer tells the local network its MAC addresses, the fingerprint of its host key
        and its disks, so that `bootstrap` finds it. Without, its name and addresses are told nevertheless.
      '';
    };
    keys = mkOption {
      type = types.listOf types.singleLineStr;
      default = [ ];
      example = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI… ta@laptop" ];
      description = "Public SSH keys that may log in as root on a machine that has booted the image.";
    };
    filesystems = mkOption {
      type = types.listOf types.str;
      default = [
        "btrfs"
        "ext4"
        "vfat"
        "xfs"
      ];
      example = [
        "vfat"
        "zfs"
      ];
      description = ''
        File systems that the image can make and mount. With `zfs` the image has the release's own
        kernel, else the latest one. `lib.mkIso` sets this to what the flake's hosts use.
      '';
    };
  };
}
