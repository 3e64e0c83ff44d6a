# As disks-btrfs, but all except the EFI system partition is encrypted.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  values = import ./values.nix { inherit lib; };
in
{
  imports = [
    (import ./disks/standard.nix {
      layout = "btrfs-luks";
      rest =
        { config, btrfs }:
        {
          luks = {
            size = "100%";
            content = {
              type = "luks";
              inherit (config.bootstrap.disk.luks) name passwordFile;
              settings = { inherit (config.bootstrap.disk.luks) allowDiscards; };
              content = btrfs;
            };
          };
        };
    })
  ];

  options.bootstrap.disk.luks = {
    name = mkOption {
      type = types.strMatching "[A-Za-z0-9_.+-]+" // {
        description = "name below /dev/mapper";
        descriptionClass = "noun";
      };
      default = "encrypted-root";
      description = "Name of the opened container below `/dev/mapper`.";
    };
    passwordFile = mkOption {
      type = values.types.absolutePath;
      default = "/tmp/disko-password";
      description = ''
        A file on the installer, in its memory, that disko takes the passphrase from. The tool puts
        a random one-time passphrase there and shows it; change it on the new machine with
        `cryptsetup luksChangeKey`.
      '';
    };
    allowDiscards = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether TRIM requests reach the disk. They keep an SSD fast, and show which blocks are free.
      '';
    };
  };
}
