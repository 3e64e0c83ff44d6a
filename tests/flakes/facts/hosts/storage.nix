# LVM, RAID, ZFS, swap partitions, tmpfs, bcachefs, odd partitions, zram.
let
  inherit (import ./lib.nix) derivation inner platform;
in
{
  config = platform // {
    networking.hostName = "storage";
    disko.devices = {
      disk = {
        "a b" = inner // {
          device = "/dev/disk/by-id/ata-X";
          content = {
            type = "gpt";
            partitions = {
              a-raid = {
                size = "10G";
                content = {
                  type = "mdraid";
                  name = "boot";
                };
              };
              b-bios = {
                size = "1M";
                type = "EF02";
                content = null;
              };
              c-rest = {
                size = "100%";
                content = {
                  type = "lvm_pv";
                  vg = "pool";
                };
              };
              d-swap = {
                size = "4G";
                content = {
                  type = "swap";
                  randomEncryption = true;
                  resumeDevice = false;
                  priority = 5;
                  discardPolicy = "both";
                };
              };
              e-end = {
                size = "0";
                start = "0";
                end = "-10G";
                content = {
                  type = "bcachefs";
                  filesystem = "pool";
                };
              };
            };
          };
        };
        b = {
          device = "/dev/sdb";
          content = {
            type = "zfs";
            pool = "tank";
          };
        };
        left-alone = {
          device = "/dev/sdc";
          content = null;
        };
      };
      lvm_vg.pool = inner // {
        name = "pool";
        type = "lvm_vg";
        lvs = {
          a-root = {
            name = "a-root";
            priority = 1251;
            size = "100%FREE";
            content = {
              type = "filesystem";
              format = "ext4";
              mountpoint = "/";
              mountOptions = [ "defaults" ];
            };
          };
          b-swap = {
            name = "b-swap";
            priority = 1000;
            size = "8G";
            content = {
              type = "swap";
            };
          };
        };
      };
      mdadm.boot = inner // {
        level = 1;
        metadata = "1.0";
        content = {
          type = "filesystem";
          format = "vfat";
          mountpoint = "/boot";
        };
      };
      zpool = {
        custom = {
          mode.topology = {
            type = "topology";
            vdev = [ { members = throw "read a topology"; } ];
          };
          datasets = { };
        };
        tank = inner // {
          mode = "mirror";
          rootFsOptions = {
            compression = throw "read an unknown attribute";
            keyformat = "passphrase";
          };
          datasets = {
            _inner = throw "read an inner attribute";
            "data/home" = inner // {
              type = "zfs_fs";
              mountpoint = "/home";
              options = {
                mountpoint = "legacy";
                keylocation = "file:///tmp/home.key";
              };
            };
            volume = {
              type = "zfs_volume";
              size = "10G";
              content = {
                type = "swap";
              };
            };
          };
        };
      };
      nodev = {
        _inner = throw "read an inner attribute";
        helper = size: { };
        "/tmp" = inner // {
          fsType = "tmpfs";
          mountpoint = "/tmp";
          mountOptions = [
            "size=200M"
            (option: option)
          ];
        };
        "/scratch" = {
          fsType = "tmpfs";
        };
      };
    };
    swapDevices = [
      { device = "/dev/pool/b-swap"; }
    ];
    zramSwap = {
      enable = true;
      memoryPercent = 50;
      algorithm = "zstd";
    };
    boot.loader = {
      grub = {
        enable = true;
        efiSupport = true;
        device = "nodev";
        devices = [ "nodev" ];
        mirroredBoots = [ ];
      };
      efi.efiSysMountPoint = "/boot";
      systemd-boot.enable = false;
    };
    system.build = {
      toplevel = derivation "nixos-system-storage";
      diskoScript = derivation "disko";
    };
  };
}
