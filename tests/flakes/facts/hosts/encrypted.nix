# LUKS in every place and with every source of a key that disko knows.
let
  inherit (import ./lib.nix) derivation inner platform;
  luks =
    name: key:
    inner
    // {
      type = "luks";
      inherit name;
      keyFile = null;
      passwordFile = null;
      askPassword = false;
      settings = { };
      additionalKeyFiles = [ ];
      content = inner // {
        type = "lvm_pv";
        vg = "pool";
      };
    }
    // key;
  partition = priority: content: {
    inherit priority content;
    size = "10G";
  };
in
{
  config = platform // {
    networking.hostName = "encrypted";
    disko.devices = {
      disk = {
        a = {
          device = "/dev/disk/by-id/nvme-A";
          content = {
            type = "gpt";
            partitions = {
              # disko makes them by priority, not by name.
              first = partition 3 (
                luks "password" {
                  passwordFile = "/tmp/disk.key";
                  settings.allowDiscards = true;
                }
              );
              second = partition 2 (luks "legacy" { keyFile = "/tmp/legacy.key"; });
              third = partition 1 (
                luks "settings" {
                  # Wins over all others.
                  settings.keyFile = "/tmp/settings.key";
                  passwordFile = "/tmp/not-this.key";
                  additionalKeyFiles = [ "/tmp/second.key" ];
                }
              );
            };
          };
        };
        b = {
          device = "/dev/sdb";
          # On the whole disk, with another one inside of it.
          content = luks "outer" {
            askPassword = true;
            content = luks "inner" { };
          };
        };
      };
      lvm_vg.pool.lvs.home = {
        size = "100%FREE";
        content = luks "on-lvm" { passwordFile = "/tmp/lvm.key"; };
      };
      mdadm.md0 = {
        level = 1;
        content = luks "on-raid" { passwordFile = "/tmp/raid.key"; };
      };
      zpool.tank = {
        mode = "";
        datasets.volume = {
          type = "zfs_volume";
          size = "5G";
          content = luks "on-zvol" { passwordFile = "/tmp/zvol.key"; };
        };
      };
    };
    system.build = {
      toplevel = derivation "nixos-system-encrypted";
      diskoScript = derivation "disko";
    };
  };
}
