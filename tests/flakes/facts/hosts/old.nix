# An old NixOS with an old disko: table with a list of partitions, permitRootLogin, GRUB on BIOS.
let
  inherit (import ./lib.nix) derivation;
in
{
  config = {
    networking.hostName = "";
    warnings = [ "This NixOS is old." ];
    nixpkgs.system = "i686-linux";
    disko.devices.disk = {
      msdos = {
        device = "/dev/sdb";
        content = {
          type = "table";
          format = "msdos";
          partitions = [
            {
              name = null;
              content = {
                type = "luks";
                name = "in-msdos";
                keyFile = "/tmp/secret.key";
              };
            }
          ];
        };
      };
      sda = {
        device = "/dev/sda";
        content = {
          type = "table";
          format = "gpt";
          partitions = [
            {
              name = "boot";
              start = "0%";
              end = "1M";
              flags = [ "bios_grub" ];
              bootable = false;
            }
            {
              name = "ESP";
              start = "1MiB";
              end = "512MiB";
              bootable = true;
              content = {
                type = "filesystem";
                format = "vfat";
                mountpoint = "/boot";
              };
            }
            {
              name = "root";
              start = "512MiB";
              end = "100%";
              content = {
                type = "filesystem";
                format = "ext4";
                mountpoint = "/";
                mountOptions = [ "noatime" ];
              };
            }
          ];
        };
      };
    };
    services.openssh = {
      enable = true;
      ports = [
        22
        2222
      ];
      permitRootLogin = "without-password";
    };
    boot.loader.grub = {
      enable = true;
      efiSupport = false;
      device = "/dev/sda";
      devices = [
        "/dev/sda"
        "nodev"
      ];
      mirroredBoots = [ { devices = [ "/dev/sdb" ]; } ];
    };
    swapDevices = [
      {
        device = "/var/swap";
        size = 2048;
      }
    ];
    system.build.toplevel = derivation "nixos-system-old";
  };
}
